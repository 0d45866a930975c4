import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const stuck = `
  import { Worker } from 'node:worker_threads';
  import { endProcess } from ${JSON.stringify(fileURLToPath(new URL('../src/end-process.ts', import.meta.url)))};
  const spin = "import('node:worker_threads').then(({ parentPort }) => { parentPort.postMessage(0); for (;;); })";
  new Worker(spin, { eval: true }).once('message', () => {
    console.log('pid ' + process.pid);
    endProcess();
  });
`;
const node = [process.execPath, '--input-type=module', '--eval', stuck] as const;
const container = ['--user', '--map-root-user', '--pid', '--fork'];
const hasContainers = spawnSync('unshare', [...container, 'true']).status === 0;

describe('the end of a process with a thread that never returns', () => {
  it('comes at once', () => {
    expect(spawnSync(node[0], node.slice(1), { timeout: 20_000, killSignal: 'SIGTERM' }).signal).toBe('SIGKILL');
  });

  it.runIf(hasContainers)('comes where it is the first process of a container, too', () => {
    const { stdout, signal, status } = spawnSync('unshare', [...container, ...node], {
      timeout: 20_000,
      killSignal: 'SIGTERM',
    });
    expect(stdout.toString()).toBe('pid 1\n');
    // How `unshare` passes the end on differs; a time-out would be SIGTERM.
    expect([signal, status]).not.toEqual(['SIGTERM', null]);
  });
});
