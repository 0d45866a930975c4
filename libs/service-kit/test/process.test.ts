import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

interface Probe {
  child: ChildProcess;
  output: () => string;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

async function start(kind: 'idle' | 'slow' | 'stuck'): Promise<Probe> {
  const child = fork(path.join(import.meta.dirname, 'service-process.ts'), [kind], {
    execArgv: ['--conditions=@sluice/source'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  children.push(child);
  let output = '';
  child.stdout!.on('data', (text: Buffer) => (output += text.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once('exit', (code, signal) => resolve({ code, signal })),
  );
  await eventually(() => expect(output).toContain('"msg":"ready"'));
  return { child, output: () => output, ended };
}

describe('a service in a process of its own', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains at the first %s and exits with 0', async (signal) => {
    const { child, output, ended } = await start('slow');
    child.kill(signal);
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(output()).toContain(`"reason":"${signal}"`);
    expect(output()).toContain('drain budget spent');
    expect(output()).toContain('"closed"');
  });

  it('is killed by the second signal', async () => {
    const { child, output, ended } = await start('stuck');
    child.kill('SIGTERM');
    await eventually(() => expect(output()).toContain('is draining'));
    child.kill('SIGTERM');
    expect(await ended).toEqual({ code: null, signal: 'SIGTERM' });
    expect(output()).not.toContain('"closed"');
  });

  it('ends itself when the channel to its supervisor closes', async () => {
    const { child, output, ended } = await start('idle');
    child.disconnect();
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(output()).toContain('the channel to the supervisor closed');
    expect(output()).toContain('"closed"');
  });
});
