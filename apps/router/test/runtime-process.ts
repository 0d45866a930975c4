import process from 'node:process';
import { startRuntime } from './runtime.ts';
import type { Loaded } from './runtime.ts';

/** A test runtime as a process of its own, so that it can be killed. Told what to do by messages of its parent. */
const [id, port, loaded] = process.argv.slice(2) as [string, string, string];
const runtime = await startRuntime({
  id,
  port: Number(port),
  loaded: JSON.parse(loaded) as Loaded,
  exit: () => process.exit(86),
});
process.on('disconnect', () => process.exit(0));
process.on('message', (message: { readonly ask: 'seen' | 'release' }) => {
  if (message.ask === 'release') runtime.releaseAll();
  process.send!({ seen: runtime.seen });
});
process.send!({ port: runtime.port });
