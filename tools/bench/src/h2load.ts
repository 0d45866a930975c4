import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { percentile } from './statistics.ts';

/** Printed when h2load is not there. */
export const howToGetH2load =
  'h2load is missing: only the CPU rows count. It is in the package nghttp2-client of Debian and Ubuntu ' +
  '(apt install nghttp2-client), in nghttp2 of Homebrew and of Fedora.';

export function hasH2load(): boolean {
  return spawnSync('h2load', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** How a number of requests in flight is made: connections times streams on each. */
export function lanes(inFlight: number): { readonly connections: number; readonly streams: number } {
  const connections = Math.min(4, inFlight);
  return { connections, streams: Math.max(1, Math.round(inFlight / connections)) };
}

export interface LoadJob {
  /** host:port */
  readonly address: string;
  /** The authority of the server's certificate, a PEM file; undefined: there is no TLS. h2load takes any certificate. */
  readonly caFile?: string | undefined;
  /** Such as `/inference.GRPCInferenceService/ModelInfer`. */
  readonly path: string;
  /** A file with the gRPC frame of the request. */
  readonly frameFile: string;
  readonly inFlight: number;
  readonly requests: number;
  /** An open loop: requests come at this rate, whatever the server does, as long as no more than `inFlight` are open. */
  readonly perSecond?: number;
  /** h2load writes a line per request here. */
  readonly logFile: string;
}

export interface LoadResult {
  readonly requests: number;
  /** Requests that did not end with HTTP status 200. */
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU that the generator used, in seconds. */
  readonly generatorCpuSeconds: number;
  /** What was negotiated, as OpenSSL names it, such as `TLSv1.3`; undefined: there was no TLS. */
  readonly tls?: string | undefined;
}

export function h2loadArguments(job: LoadJob): string[] {
  const { connections, streams } = lanes(job.inFlight);
  return [
    ...['-t', '1', '-c', String(connections), '-m', String(streams), '-n', String(job.requests)],
    ...(job.perSecond === undefined ? [] : [`--rps=${job.perSecond / connections}`]),
    ...['-d', job.frameFile, '-H', 'content-type: application/grpc', '-H', 'te: trailers'],
    `--log-file=${job.logFile}`,
    `${job.caFile === undefined ? 'http' : 'https'}://${job.address}${job.path}`,
  ];
}

/** What h2load prints at its end. */
export function parseSummary(text: string): Pick<LoadResult, 'requests' | 'failed' | 'seconds' | 'tls'> {
  const finished = /finished in ([\d.]+)(us|ms|s|m|h)\b/.exec(text);
  const counted = /requests: (\d+) total, (\d+) started, (\d+) done, (\d+) succeeded, (\d+) failed/.exec(text);
  if (!finished || !counted) throw new Error(`this is not what h2load prints: ${text.slice(0, 500)}`);
  const unit = { us: 1e-6, ms: 1e-3, s: 1, m: 60, h: 3600 }[finished[2]!]!;
  const [total, succeeded] = [Number(counted[1]), Number(counted[4])];
  const tls = /^TLS Protocol: (\S+)/m.exec(text)?.[1];
  return { requests: total, failed: total - succeeded, seconds: Number(finished[1]) * unit, tls };
}

/** Response times in milliseconds: the third column of each line of the log, in microseconds. */
export function parseLog(text: string): number[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number(line.split('\t')[2]) / 1000);
}

/**
 * A command for `sh` that runs a program and says at its end what CPU that has used. The system tells a parent only the sum of all children that
 * have ended, in which a server that was stopped before, and is slow to end, would pass for the program.
 */
export const timed = (program: string, argv: readonly string[]): string[] => [
  ...['-c', '"$0" "$@"; code=$?; times; exit $code', program],
  ...argv,
];

/** What it says: the shell's own user and system time, and below those of the program. @returns seconds of CPU of the program */
export function parseTimes(text: string): number {
  const found = [...text.matchAll(/^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/gm)].at(-1);
  if (found === undefined) throw new Error(`sh did not say what CPU was used: ${text.slice(-500)}`);
  const [userMinutes, userSeconds, systemMinutes, systemSeconds] = found.slice(1).map(Number);
  return 60 * (userMinutes! + systemMinutes!) + userSeconds! + systemSeconds!;
}

/** Runs h2load to its end. */
export async function runH2load(job: LoadJob): Promise<LoadResult> {
  // h2load appends to a log that is there.
  rmSync(job.logFile, { force: true });
  const child = spawn('sh', timed('h2load', h2loadArguments(job)), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`h2load ended with ${code}: ${output.slice(-500)}`);
  const times = parseLog(readFileSync(job.logFile, 'utf8'));
  if (times.length !== job.requests) {
    throw new Error(`h2load made ${job.requests} requests and logged ${times.length}: see ${job.logFile}`);
  }
  return {
    ...parseSummary(output),
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    generatorCpuSeconds: parseTimes(output),
  };
}
