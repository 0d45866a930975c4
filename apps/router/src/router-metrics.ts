import type { SluiceError } from '@sluice/domain/errors';
import { breakerStates } from '@sluice/resilience/breaker';
import type { BreakerState } from '@sluice/resilience/breaker';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { AttemptFailure } from './route/attempts.ts';
import type { InFlight } from './route/in-flight.ts';
import type { Destination } from './route/table.ts';
import type { Fleet } from './runtimes/fleet.ts';

/** Counts of the router beyond those of its methods. */
export interface RouterMetrics {
  inferred(version: Destination, error: SluiceError | undefined): void;
  attemptFailed(failure: AttemptFailure, retried: boolean): void;
  /** @param state undefined when there is no such breaker any more */
  breaker(runtime: string, key: string, state: BreakerState | undefined): void;
}

export interface Observed {
  readonly inFlight: InFlight;
  readonly fleet: Fleet;
  readonly revision: () => number;
  /** Sequences whose runtime is known. */
  readonly sequences: () => number;
}

export function routerMetrics(metrics: Metrics, observed: Observed): RouterMetrics {
  const inferences = metrics.counter(
    'sluice_router_inferences_total',
    'Inferences of known versions that ended, by model, version and outcome',
    ['model', 'version', 'outcome'],
  );
  const failures = metrics.counter(
    'sluice_router_failed_attempts_total',
    'Attempts at a runtime that failed, by how, and whether the request was sent elsewhere',
    ['origin', 'kind', 'retried'],
  );
  const breakers = metrics.gauge('sluice_router_breaker_state', '0 closed, 1 open, 2 half-open', [
    'runtime',
    'version',
  ]);
  const { inFlight, fleet } = observed;
  // A router queues nothing itself: what it holds waits for a runtime's answer.
  metrics.queue('runtimes', () => inFlight.requests);
  metrics.observedGauge('sluice_router_in_flight_bytes', 'Bytes of inferences in flight', () => inFlight.bytes);
  metrics.observedGauge('sluice_router_turned_away', 'Inferences refused because a bound was reached', () => {
    return inFlight.turnedAway;
  });
  metrics.observedGauge('sluice_router_table_revision', 'Revision of the routes in force', observed.revision);
  metrics.observedGauge('sluice_router_sequences', 'Sequences whose runtime the router knows', observed.sequences);
  metrics.observedGauge('sluice_router_runtimes', 'Runtimes that the router knows', () => fleet.links.length);
  metrics.observedGauge('sluice_router_runtimes_up', 'Runtimes that take requests', () => {
    return fleet.links.filter((link) => link.state === 'up').length;
  });
  // The success of a version is counted for every request, so its child is looked up once.
  const answered = new WeakMap<Destination, { inc(): void }>();
  return {
    inferred(version, error) {
      if (error) {
        inferences.labels(version.model, version.text, error.kind).inc();
        return;
      }
      let child = answered.get(version);
      if (!child) {
        child = inferences.labels(version.model, version.text, 'ok');
        answered.set(version, child);
      }
      child.inc();
    },
    attemptFailed(failure, retried) {
      failures.labels(failure.origin, failure.error.kind, String(retried)).inc();
    },
    breaker(runtime, key, state) {
      if (state === undefined) breakers.remove(runtime, key);
      else breakers.labels(runtime, key).set(breakerStates.indexOf(state));
    },
  };
}
