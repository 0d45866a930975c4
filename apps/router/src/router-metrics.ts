import type { SluiceError } from '@sluice/domain/errors';
import type { BreakerState } from '@sluice/resilience/breaker';
import { histogramSeries } from '@sluice/telemetry/exposition';
import type { Metrics } from '@sluice/telemetry/metrics';
import type { AttemptFailure } from './route/attempts.ts';
import type { InFlight } from './route/in-flight.ts';
import type { ArmRoute } from './route/release-route.ts';
import type { Shadows } from './route/shadows.ts';
import { dropReasons } from './route/shadows.ts';
import type { RouteTable, VersionTarget } from './route/table.ts';
import type { Breakers } from './runtimes/breakers.ts';
import type { Fleet } from './runtimes/fleet.ts';
import { durationBuckets, RoutedVersions } from './routed-versions.ts';
import type { ArmStats, RouteStats } from './routed-versions.ts';
import { linkStates } from './runtimes/runtime-link.ts';
import type { RuntimeLink } from './runtimes/runtime-link.ts';

/** Counts of the router beyond those of its methods. */
export interface RouterMetrics {
  /** An inference of a known version ended. @param arm whose it was from the beginning, if it is of one */
  readonly inferred: (
    version: VersionTarget,
    arm: ArmRoute | undefined,
    error: SluiceError | undefined,
    tookMs: number,
  ) => void;
  /** A candidate could not answer an inference, in whose place the primary is asked. */
  readonly fellBack: (version: VersionTarget, arm: ArmRoute, error: SluiceError) => void;
  /** A copy for a shadow arm ended. */
  readonly mirrored: (version: VersionTarget, arm: ArmRoute, error: SluiceError | undefined) => void;
  attemptFailed(version: VersionTarget, failure: AttemptFailure, retried: boolean): void;
}

export interface Observed {
  readonly inFlight: InFlight;
  readonly fleet: Fleet;
  readonly breakers: Breakers;
  /** The routes in force. */
  readonly table: () => RouteTable | undefined;
  /** Sequences whose runtime is known. */
  readonly sequences: () => number;
  /** Asked for at scrapes, since it is made after this. */
  readonly shadows: () => Pick<Shadows, 'waiting' | 'inFlight' | 'bytes' | 'dropped'>;
}

/** How the states of breakers are told: the further from closed, the higher. */
export const breakerValues: Readonly<Record<BreakerState, number>> = { closed: 0, 'half-open': 1, open: 2 };

/**
 * Registers what the router is asked for at a scrape, and what it counts meanwhile. Series are of versions and
 * runtimes that the registry knows: those of others go. docs/metrics.md is the list.
 */
export function routerMetrics(metrics: Metrics, observed: Observed): RouterMetrics {
  const failures = metrics.counter(
    'sluice_router_failed_attempts_total',
    'Attempts at a runtime that failed, by how, and whether the request was to go elsewhere',
    ['origin', 'kind', 'retried'],
  );
  const routed = new RoutedVersions(observed.table);
  ofVersions(metrics, routed);
  ofArms(metrics, routed);
  ofShadows(metrics, observed);
  ofRuntimes(metrics, observed);
  ofRouter(metrics, observed);
  return {
    inferred(version, arm, error, tookMs) {
      const stats = routed.of(version);
      stats?.ended(error?.kind, tookMs);
      // One look-up: this is for every request.
      if (arm !== undefined) (stats?.of(arm) ?? routed.ofArm(version, arm))?.ended(error?.kind);
    },
    fellBack: (version, arm, error) => routed.ofArm(version, arm)?.fellBack(error.kind),
    mirrored: (version, arm, error) => routed.ofArm(version, arm)?.ended(error?.kind),
    attemptFailed(version, failure, retried) {
      failures.labels(failure.origin, failure.error.kind, String(retried)).inc();
      if (retried) routed.of(version)?.retried();
    },
  };
}

function ofVersions(metrics: Metrics, routed: RoutedVersions): void {
  const subjects = (): Iterable<RouteStats> => routed.all();
  const labelsOf = ({ version }: RouteStats) => ({ model: version.model, version: version.text });
  const seconds = histogramSeries(durationBuckets.bounds, 1e-6);
  metrics.observe({
    name: 'sluice_router_inferences_total',
    type: 'counter',
    help: 'Inferences that ended, by the version that they were routed to and outcome',
    subjects,
    samples: (stats) =>
      stats.counts().map(({ outcome, count }) => ({ labels: { ...labelsOf(stats), outcome }, value: count })),
  });
  metrics.observe({
    name: 'sluice_router_inference_duration_seconds',
    type: 'histogram',
    help: 'From the arrival of inferences to their answers, of those that were answered',
    subjects,
    samples: (stats) => seconds(labelsOf(stats), stats.answered),
  });
  metrics.observe({
    name: 'sluice_router_retries_total',
    type: 'counter',
    help: 'Attempts that failed and after which the inference was to go to another runtime',
    subjects,
    samples: (stats) => [{ labels: labelsOf(stats), value: stats.retries }],
  });
}

function ofArms(metrics: Metrics, routed: RoutedVersions): void {
  function* subjects(): Generator<readonly [RouteStats, ArmStats]> {
    for (const stats of routed.all()) for (const arm of stats.arms) yield [stats, arm];
  }
  const labelsOf = ({ version }: RouteStats, { name, role }: ArmStats) => ({
    ...{ model: version.model, version: version.text, arm: name, role },
  });
  metrics.observe({
    name: 'sluice_router_arm_inferences_total',
    type: 'counter',
    help: 'Inferences that an arm was assigned and that ended, copies of shadow arms too, by how the arm itself ended them',
    subjects,
    samples: ([stats, arm]) =>
      arm.counts().map(({ outcome, count }) => ({ labels: { ...labelsOf(stats, arm), outcome }, value: count })),
  });
  metrics.observe({
    name: 'sluice_router_arm_fallbacks_total',
    type: 'counter',
    help: 'Inferences that an arm was assigned and could not answer, so that the primary was asked',
    subjects,
    samples: ([stats, arm]) => [{ labels: labelsOf(stats, arm), value: arm.fallbacks }],
  });
}

function ofShadows(metrics: Metrics, { shadows }: Observed): void {
  metrics.queue('shadows', () => shadows().waiting);
  metrics.observe({
    name: 'sluice_router_shadow_dropped_total',
    type: 'counter',
    help: 'Copies for shadow arms that were not sent, or given up, by why',
    subjects: () => dropReasons,
    samples: (reason) => [{ labels: { reason }, value: shadows().dropped[reason] }],
  });
  metrics.observedGauge('sluice_router_shadow_in_flight', 'Copies for shadow arms in flight', () => shadows().inFlight);
  metrics.observedGauge('sluice_router_shadow_bytes', 'Bytes of copies for shadow arms', () => shadows().bytes);
}

function ofRuntimes(metrics: Metrics, { fleet, breakers }: Observed): void {
  const subjects = (): readonly RuntimeLink[] => fleet.links;
  metrics.observe({
    name: 'sluice_router_attempts_total',
    type: 'counter',
    help: 'Inferences that were sent to a runtime, each as often as it was',
    subjects,
    samples: ({ address, sent }) => [{ labels: { runtime: address }, value: sent }],
  });
  metrics.observe({
    name: 'sluice_router_runtime_in_flight',
    type: 'gauge',
    help: 'Inferences that were sent to a runtime and are not answered',
    subjects,
    samples: ({ address, inFlight }) => [{ labels: { runtime: address }, value: inFlight }],
  });
  metrics.observe({
    name: 'sluice_router_link_state',
    type: 'gauge',
    help: '1 for the state that the link to a runtime is in',
    subjects,
    samples: ({ address, state: now }) =>
      linkStates.map((state) => ({ labels: { runtime: address, state }, value: state === now ? 1 : 0 })),
  });
  metrics.observe({
    name: 'sluice_router_breaker_state',
    type: 'gauge',
    help: '0 closed, 1 half-open, 2 open; there is none before the first inference of a version to a runtime',
    subjects: () => breakers.all(),
    samples: ({ runtime, model, version, state }) => [
      { labels: { runtime, model, version }, value: breakerValues[state] },
    ],
  });
}

function ofRouter(metrics: Metrics, { inFlight, fleet, table, sequences }: Observed): void {
  // A router queues nothing itself: what it holds waits for a runtime's answer.
  metrics.queue('runtimes', () => inFlight.requests);
  metrics.observedGauge('sluice_router_in_flight_bytes', 'Bytes of inferences in flight', () => inFlight.bytes);
  metrics.observe({
    name: 'sluice_router_turned_away_total',
    type: 'counter',
    help: 'Inferences refused because a bound was reached',
    subjects: () => [inFlight],
    samples: ({ turnedAway }) => [{ labels: {}, value: turnedAway }],
  });
  metrics.observedGauge(
    'sluice_router_table_revision',
    'Revision of the routes in force',
    () => table()?.revision ?? 0,
  );
  metrics.observedGauge('sluice_router_sequences', 'Sequences whose runtime the router knows', sequences);
  metrics.observedGauge('sluice_router_runtimes', 'Runtimes that the router knows', () => fleet.links.length);
  metrics.observedGauge('sluice_router_runtimes_up', 'Runtimes that take requests', () => {
    return fleet.links.filter((link) => link.state === 'up').length;
  });
}
