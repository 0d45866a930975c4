/** The throw-away process that tries one device: it loads a small graph there, runs it once, and says what came of it. */
import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import type { SessionDevice } from './devices.ts';
import { probeGraph } from './probe-graph.ts';
import { sessionOptions } from './session-options.ts';

async function tryIt(device: SessionDevice): Promise<string> {
  // What it says of libraries that it cannot load it says to its log alone; the parent reads that.
  env.logLevel = 'error';
  const session = await InferenceSession.create(probeGraph, { ...sessionOptions(device, 1), logSeverityLevel: 3 });
  const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 2, 3, 4), [2, 2]) });
  const values = Array.from(y!.data as Float32Array);
  await session.release();
  return values.join() === '7,10,15,22' ? '' : `it computed ${values.join()} where 7,10,15,22 is right`;
}

// Nobody waits for the answer any more.
process.once('disconnect', () => process.exit(1));
const told = await tryIt(JSON.parse(process.argv[2]!) as SessionDevice).catch((error: unknown) =>
  String(error instanceof Error ? error.message : error),
);
process.send!(told, () => process.exit(0));
