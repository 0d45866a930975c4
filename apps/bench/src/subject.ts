import { once } from 'node:events';
import { fork, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { echoPath } from './echo-path.ts';
import { metricSum, parseMetrics, type Sample } from './metrics-text.ts';
import type { Workload } from './workloads.ts';

export const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** What the server itself has counted. */
export interface ServerCounts {
  readonly successes: number;
  /** Rows and batches that ran; undefined where there is no model. */
  readonly rows: number | undefined;
  readonly batches: number | undefined;
}

/** A server under load. */
export interface Subject {
  readonly name: 'echo' | 'direct' | 'router';
  readonly address: string;
  readonly path: string;
  /** The processes whose CPU is counted, by name. */
  readonly pids: Readonly<Record<string, number>>;
  counts(workload: Workload): Promise<ServerCounts>;
}

/** Starts the echo server as a process of its own. */
export async function startEcho(): Promise<{ subject: Subject; stop: () => void }> {
  const child = fork(path.join(import.meta.dirname, 'echo-server.ts'), { execArgv: ['--conditions=@sluice/source'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const subject: Subject = {
    name: 'echo',
    address: `127.0.0.1:${port}`,
    path: echoPath,
    pids: { echo: child.pid! },
    counts: async () => ({ successes: await askEcho(child), rows: undefined, batches: undefined }),
  };
  return { subject, stop: () => child.disconnect() };
}

async function askEcho(child: ChildProcess): Promise<number> {
  const answer = once(child, 'message');
  child.send('count');
  const [{ answered }] = (await answer) as [{ answered: number }];
  return answered;
}

/** A subject of the platform; what it has counted is read from the model-server's metrics, also behind the router. */
export function platformSubject(
  name: 'direct' | 'router',
  port: number,
  metricsPort: number,
  pids: Readonly<Record<string, number>>,
): Subject {
  return {
    name,
    address: `127.0.0.1:${port}`,
    path: inferPath,
    pids,
    counts: async ({ plan, version }) => {
      const samples = await scrape(metricsPort);
      const sum = (metric: string): number => metricSum(samples, metric, { model: plan.model, version });
      return {
        successes: sum('nv_inference_request_success'),
        rows: sum('nv_inference_count'),
        batches: sum('nv_inference_exec_count'),
      };
    },
  };
}

async function scrape(port: number): Promise<Sample[]> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  return parseMetrics(await response.text());
}
