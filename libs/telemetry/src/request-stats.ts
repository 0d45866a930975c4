import { histogramSeries } from './exposition.ts';
import type { MetricType, ObservedFamily, Sample } from './exposition.ts';

/** gRPC's status names by code, as metrics label them. */
export const statusNames = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

/** Upper bounds of the latency histogram, in seconds. */
export const latencyBounds = [
  0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

/**
 * Counts of one method. Plain arrays instead of prom-client's children, which hash their labels at every observation:
 * a request costs two additions and a short search, and the text is made when somebody scrapes.
 */
export class MethodStats {
  readonly method: string;
  inFlight = 0;
  readonly #byCode = new Float64Array(statusNames.length);
  readonly #byLatency = new Float64Array(latencyBounds.length + 1);
  #seconds = 0;

  constructor(method: string) {
    this.method = method;
  }

  started(): void {
    this.inFlight++;
  }

  /** @param code gRPC status code, 0 to 16 */
  ended(code: number, milliseconds: number): void {
    this.inFlight--;
    this.#byCode[code < statusNames.length ? code : 2]!++;
    const seconds = milliseconds / 1000;
    this.#seconds += seconds;
    let bucket = 0;
    while (bucket < latencyBounds.length && seconds > latencyBounds[bucket]!) bucket++;
    this.#byLatency[bucket]!++;
  }

  /** Requests that ended with this code. */
  count(code: number): number {
    return this.#byCode[code] ?? 0;
  }

  /** Codes that were seen, with their counts. */
  codes(): { readonly name: string; readonly count: number }[] {
    return statusNames.map((name, code) => ({ name, count: this.#byCode[code]! })).filter(({ count }) => count > 0);
  }

  /** Cumulative counts per upper bound, the last one unbounded. */
  latency(): { readonly cumulative: number[]; readonly sumSeconds: number } {
    let total = 0;
    const cumulative = Array.from(this.#byLatency, (count) => (total += count));
    return { cumulative, sumSeconds: this.#seconds };
  }
}

/** The metrics that are read from `MethodStats` at a scrape. */
export function requestMetrics(stats: () => Iterable<MethodStats>): ObservedFamily<MethodStats>[] {
  const family = readFrom(stats);
  return [
    family('sluice_requests_total', 'counter', 'Requests that ended, by method and status', byCode),
    family('sluice_request_failures_total', 'counter', 'Requests that ended with another status than OK', (s) =>
      byCode(s).filter(({ labels }) => labels['code'] !== 'OK'),
    ),
    family('sluice_requests_in_flight', 'gauge', 'Requests that are being worked on', inFlight),
    family('sluice_request_duration_seconds', 'histogram', 'From the first byte of a request to its status', durations),
  ];
}

/** The same of requests that are messages of streams. A stream counts among the requests above, once. */
export function streamedRequestMetrics(stats: () => Iterable<MethodStats>): ObservedFamily<MethodStats>[] {
  const family = readFrom(stats);
  return [
    family('sluice_streamed_requests_total', 'counter', 'Requests on streams that ended, by method and status', byCode),
    family('sluice_streamed_requests_in_flight', 'gauge', 'Requests on streams that are being worked on', inFlight),
    family(
      'sluice_streamed_request_duration_seconds',
      'histogram',
      'From a message of a stream to its answer',
      durations,
    ),
  ];
}

type Read = (
  name: string,
  type: MetricType,
  help: string,
  samples: (stats: MethodStats) => Sample[],
) => ObservedFamily<MethodStats>;

function readFrom(subjects: () => Iterable<MethodStats>): Read {
  return (name, type, help, samples) => ({ name, type, help, subjects, samples });
}

function byCode(stats: MethodStats): Sample[] {
  return stats.codes().map(({ name, count }) => ({ labels: { method: stats.method, code: name }, value: count }));
}

function inFlight(stats: MethodStats): Sample[] {
  return [{ labels: { method: stats.method }, value: stats.inFlight }];
}

const durationSeries = histogramSeries(latencyBounds);

function durations(stats: MethodStats): Sample[] {
  const { cumulative, sumSeconds } = stats.latency();
  return durationSeries({ method: stats.method }, { sum: sumSeconds, cumulative: () => cumulative });
}
