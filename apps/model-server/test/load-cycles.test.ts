import { readdirSync } from 'node:fs';
import path from 'node:path';
import { env } from 'node:process';
import type { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import { adder, ask } from './support/adder.ts';
import { startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

/** `npm run soak` runs the full number and looks at resident memory, which so few cycles say nothing of. */
const soak = env['SLUICE_SOAK'] === '1';
const cycles = soak ? 300 : 10;
const warmUpCycles = 20;
const mib = 1 << 20;

it('comes and goes many times, and leaves nothing behind', async () => {
  const workers = new Set<Worker>();
  const collect = (worker: Worker): void => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  };
  process.on('worker', collect);
  const registry = await new TestRegistry().start();
  const stateDir = temporaryFolder();
  const runtime: TestRuntime = await startRuntime({ registry: registry.address, stateDir });
  const weights = new Uint8Array(soak ? 8 * mib : 2 * mib);
  // Two versions, so that what is kept by name cannot hide what is leaked.
  const versions = [1, 2].map((number) => ({
    ...adder(number, [], weights.byteLength),
    serving: { maxBatchSize: 32, device: 'cpu', warmupCount: 2 },
  }));
  try {
    let warm = 0;
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const version = versions[cycle % 2]!;
      registry.place(version);
      await runtime.modelReady('adder', String(version.version));
      expect((await runtime.infer(ask(String(version.version)))).modelVersion).toBe(String(version.version));
      registry.place();
      await eventually(async () => {
        expect(await runtime.state()).toMatchObject({ versions: [], memory: { heldBytes: 0, waitingRequests: 0 } });
        expect([...workers]).toEqual([]);
        expect(readdirSync(path.join(stateDir, 'versions'))).toEqual([]);
        expect(readdirSync(path.join(stateDir, 'artifacts'))).toEqual([]);
      }, 30_000);
      if (cycle === warmUpCycles) warm = process.memoryUsage.rss();
    }
    const { rss, heapUsed } = process.memoryUsage();
    const figures = [warm, rss, heapUsed].map((bytes) => Math.round(bytes / mib));
    if (soak) process.stdout.write(`load cycles: ${cycles}; MiB warm, at the end, heap: ${figures.join(', ')}\n`);
    if (soak) expect(rss).toBeLessThanOrEqual(1.1 * warm);
  } finally {
    process.off('worker', collect);
    await runtime.stop();
    await registry.stop();
  }
});
