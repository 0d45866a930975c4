// A process of its own: a closed loop of grpc-js calls, where h2load is missing. It costs more than a server does, so only
// the CPU of the others is worth reading from it. Prints one line of JSON.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createRawClient } from '@sluice/rpc/raw-client';
import { lanes, type LoadJob, type LoadResult } from './h2load.ts';
import { percentile } from './statistics.ts';
import { clientTls } from './tls-files.ts';
import { tlsVersion } from './tls-version.ts';

async function drive(job: LoadJob): Promise<LoadResult> {
  const message = readFileSync(job.frameFile).subarray(5);
  const tls = clientTls(job.caFile);
  const clients = Array.from({ length: lanes(job.inFlight).connections }, () => createRawClient(job.address, { tls }));
  const times: number[] = [];
  let failed = 0;
  let left = job.requests;
  const start = performance.now();
  await new Promise<void>((resolve) => {
    let open = 0;
    const next = (lane: number): void => {
      if (left === 0) {
        if (open === 0) resolve();
        return;
      }
      left--;
      open++;
      const sentAt = performance.now();
      clients[lane % clients.length]!.call(job.path, message, { deadlineMs: Date.now() + 60_000 }, ({ error }) => {
        times.push(performance.now() - sentAt);
        if (error) failed++;
        open--;
        next(lane);
      });
    };
    for (let lane = 0; lane < job.inFlight; lane++) next(lane);
  });
  const seconds = (performance.now() - start) / 1000;
  for (const client of clients) client.close();
  const { user, system } = process.cpuUsage();
  return {
    requests: job.requests,
    failed,
    seconds,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    generatorCpuSeconds: (user + system) / 1e6,
    tls: tls && (await tlsVersion(job.address, tls)),
  };
}

process.stdout.write(`${JSON.stringify(await drive(JSON.parse(process.argv[2] ?? '') as LoadJob))}\n`);
