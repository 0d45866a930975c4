import { echoPath } from './echo-path.ts';
import { startHelper } from './helper-process.ts';
import type { PlatformName, SubjectName } from './load-rows.ts';
import { metricSum } from './metrics-text.ts';
import { scrape } from './scrape.ts';
import type { TlsFiles } from './tls-files.ts';
import type { Workload } from './workloads.ts';

export const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** What the server itself has counted. */
export interface ServerCounts {
  readonly successes: number;
  /** What the processes in front of that server have counted as answered well, by name. */
  readonly inFront: Readonly<Record<string, number>>;
  /** Rows and batches that ran; undefined where there is no model. */
  readonly rows: number | undefined;
  readonly batches: number | undefined;
}

/** A server under load. */
export interface Subject {
  readonly name: SubjectName;
  readonly address: string;
  /** The authority that its certificate is of, a PEM file; undefined: it has no TLS. */
  readonly caFile?: string | undefined;
  readonly path: string;
  /** The processes whose CPU is counted, by name; those that work on requests come first. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  /** Names of those that are profiled when a target is missed. */
  readonly busy: readonly string[];
  counts(workload: Workload): Promise<ServerCounts>;
}

/** Servers that only the bench has. */
export type HelperName = Exclude<SubjectName, PlatformName>;

const programs: Readonly<Record<HelperName, string>> = {
  echo: 'echo-server.ts',
  'wire-echo': 'wire-echo-server.ts',
  'wire-echo-tls': 'wire-echo-server.ts',
  http2: 'http2-server.ts',
};

/**
 * Starts a server of the bench as a process of its own: an echo of plain grpc-js or of libs/wire, or one of node:http2 that only reads.
 * @param tls for one that is reached by TLS
 */
export async function startHelperSubject(
  name: HelperName,
  tls?: TlsFiles,
): Promise<{ subject: Subject; stop: () => void }> {
  const server = await startHelper(programs[name], tls === undefined ? [] : [tls.cert, tls.key]);
  const subject: Subject = {
    name,
    address: `127.0.0.1:${server.port}`,
    caFile: tls?.ca,
    path: echoPath,
    pids: { [name]: [server.pid] },
    busy: [name],
    counts: async () => {
      const { answered } = (await server.ask('count')) as { answered: number };
      return { successes: answered, inFront: {}, rows: undefined, batches: undefined };
    },
  };
  return { subject, stop: () => server.stop() };
}

export interface PlatformSubjectOptions {
  readonly port: number;
  /** Of the model-server. */
  readonly metricsPort: number;
  /** Of the router, when requests go through it. */
  readonly routerMetricsPort?: number;
  /** Of all these ports; undefined where they have no TLS. */
  readonly caFile: string | undefined;
  readonly pids: Subject['pids'];
  readonly busy: Subject['busy'];
}

/**
 * A subject of the platform. What it has counted is read from the model-server's metrics, and behind a router from that
 * one's too: h2load takes an error that the router answers for a success.
 */
export function platformSubject(name: PlatformName, options: PlatformSubjectOptions): Subject {
  const { port, metricsPort, routerMetricsPort, caFile, pids, busy } = options;
  return {
    name,
    address: `127.0.0.1:${port}`,
    caFile,
    path: inferPath,
    pids,
    busy,
    counts: async ({ plan, version }) => {
      const samples = await scrape(metricsPort, caFile);
      const sum = (metric: string): number => metricSum(samples, metric, { model: plan.model, version });
      return {
        inFront: routerMetricsPort === undefined ? {} : { router: await answeredWell(routerMetricsPort, caFile) },
        successes: sum('nv_inference_request_success'),
        rows: sum('nv_inference_count'),
        batches: sum('nv_inference_exec_count'),
      };
    },
  };
}

async function answeredWell(port: number, caFile: string | undefined): Promise<number> {
  return metricSum(await scrape(port, caFile), 'sluice_requests_total', {
    method: 'inference.GRPCInferenceService/ModelInfer',
    code: 'OK',
  });
}
