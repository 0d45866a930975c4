import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Platform } from './platform.ts';

interface Document {
  readonly version: string;
  readonly target: { readonly name: string; readonly statistics: boolean };
  readonly rows: readonly {
    readonly requests: number;
    readonly networkMs: number;
    readonly latencyMs: { readonly mean: number };
    readonly serverMs: Readonly<Record<string, number>>;
  }[];
}

const quick = ['--no-calibration', '--request-rate-range', '200', '--request-count', '40', '--json'];

/** `bench` on a router and on a runtime's own port, which count where the time of requests goes. */
export function describeBench(platform: () => Platform): void {
  const sluice: Platform['sluice'] = (...args) => platform().sluice(...args);

  describe('bench', () => {
    it("has the server's phases, through a router and on a runtime's own port", async () => {
      const runtimes = (await sluice('runtimes', '--json')).json() as { runtimes: { address: string }[] };
      const targets = [[], ['-u', runtimes.runtimes[0]!.address]];
      for (const target of targets) {
        const { rows, ...document } = (
          await sluice('bench', 'digits', '-b', '2', ...quick, ...target)
        ).json() as Document;
        expect(document).toMatchObject({ version: '3', target: { statistics: true } });
        expect(rows).toMatchObject([{ requests: 40, failures: {}, serverMs: { requests: 40 } }]);
        const { serverMs, latencyMs, networkMs } = rows[0]!;
        expect(serverMs['computeInfer']).toBeGreaterThan(0);
        expect(serverMs['computeInfer']).toBeLessThan(latencyMs.mean);
        expect(networkMs).toBeGreaterThan(0);
      }
    });

    it("writes perf_analyzer's columns", async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const file = path.join(folder, 'a.csv');
      await sluice('bench', 'digits', '-x', 'linear', '--streaming', '-f', file, ...quick);
      const [headings, row, end] = (await readFile(file, 'utf8')).split('\n');
      expect(headings).toBe(
        'Request Rate,Inferences/Second,Client Send,Network+Server Send/Recv,Server Queue,Server Compute Input,Server Compute Infer,Server Compute Output,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency',
      );
      expect(row).toMatch(/^200(,\d+(\.\d+)?){12}$/);
      expect(end).toBe('');
    });
  });
}
