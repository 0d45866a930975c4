// A process of its own: sends requests when they are due, whatever the server does, and writes down how each ended. Prints
// one line of JSON. Times are of the wall clock, so that they can be laid beside what other processes did.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { createRawClient } from '@sluice/rpc/raw-client';
import { poisson, steady } from './arrivals.ts';
import { seededUniform } from './onnx/graph-builder.ts';
import type { OpenLoopJob, OpenLoopResult } from './open-loop-job.ts';

/** How long what is open at the end gets: its deadline and a little. */
const patienceMs = 1_000;

async function drive(job: OpenLoopJob): Promise<OpenLoopResult> {
  const message = readFileSync(job.frameFile).subarray(5);
  const clients = Array.from({ length: 4 }, () => createRawClient(job.address));
  const arrivals =
    job.poissonSeed === undefined ? steady(job.perSecond) : poisson(job.perSecond, seededUniform(job.poissonSeed));
  const result: { dueAtMs: number[]; tookMs: number[]; kinds: string[] } = { dueAtMs: [], tookMs: [], kinds: [] };
  const startMs = Date.now();
  const start = performance.now();
  let open = 0;
  let worstLateMs = 0;
  const send = (dueMs: number): void => {
    open++;
    worstLateMs = Math.max(worstLateMs, performance.now() - start - dueMs);
    // From when it was due: a server that stalls must not be spared the requests that would have come meanwhile.
    const deadlineMs = startMs + dueMs + job.deadlineMs;
    const client = clients[result.kinds.length % clients.length]!;
    const index = result.kinds.push('open') - 1;
    result.dueAtMs.push(startMs + dueMs);
    result.tookMs.push(NaN);
    client.call(job.path, message, { deadlineMs }, ({ error }) => {
      result.tookMs[index] = performance.now() - start - dueMs;
      result.kinds[index] = error ? error.kind : 'ok';
      open--;
    });
  };
  const endMs = job.seconds * 1000;
  for (let due = arrivals.next(); due < endMs;) {
    const now = performance.now() - start;
    for (; due <= now && due < endMs; due = arrivals.next()) send(due);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, Math.min(due, endMs) - now)));
  }
  const limit = performance.now() + job.deadlineMs + patienceMs;
  while (open > 0 && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 20));
  for (const client of clients) client.close();
  const { user, system } = process.cpuUsage();
  return { ...result, worstLateMs, cpuSeconds: (user + system) / 1e6, seconds: (performance.now() - start) / 1000 };
}

const result = await drive(JSON.parse(process.argv[2] ?? '') as OpenLoopJob);
// It is long: what ends the process waits until the pipe has taken all of it.
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
