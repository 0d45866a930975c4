/** A stretch of time in which nobody could write to the registry; milliseconds since the epoch, the database's clock. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

/** When a holder last announced itself, by the database's clock, and for how long that counts. */
export interface LeaseTerm {
  readonly renewedAt: number;
  readonly ttlMs: number;
}

/** A span of time that outages stretch: it starts at `from` and lasts `ms` of writable time. */
export interface Span {
  readonly from: number;
  readonly ms: number;
  /** At least this long after an outage has ended, so that holders have time to come back; 0 for none. */
  readonly graceMs: number;
}

/**
 * When a span ends, not counting the time during which the registry could not write. `outages` are in the order of
 * their times and do not overlap.
 */
export function spanEnd(span: Span, outages: readonly Outage[]): number {
  let end = span.from + span.ms;
  for (const outage of outages) {
    if (outage.to <= span.from) continue;
    if (outage.from >= end) break;
    const remaining = end - Math.max(outage.from, span.from);
    end = outage.to + Math.max(remaining, span.graceMs);
  }
  return end;
}

/** When a lease lapses: after an outage its holder has the whole time to live again to renew it. */
export function leaseEnd(lease: LeaseTerm, outages: readonly Outage[]): number {
  return spanEnd({ from: lease.renewedAt, ms: lease.ttlMs, graceMs: lease.ttlMs }, outages);
}

/** True before the lease's end; at the end itself it has lapsed. */
export function isLive(lease: LeaseTerm, outages: readonly Outage[], now: number): boolean {
  return now < leaseEnd(lease, outages);
}

/** Longest silence between two of the registry's heartbeats, of any replica, that is not yet an outage. */
export const heartbeatGapMs = 2_000;

/**
 * The outages to judge leases by: the recorded ones, and one that is not recorded yet when the last heartbeat is too
 * long ago (the reader got to the database before a heartbeat did).
 */
export function outagesNow(recorded: readonly Outage[], lastHeartbeat: number, now: number): readonly Outage[] {
  return now - lastHeartbeat <= heartbeatGapMs ? recorded : [...recorded, { from: lastHeartbeat, to: now }];
}
