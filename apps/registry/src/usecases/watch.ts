import { failedPrecondition, unavailable } from '@sluice/domain/errors';
import type { Update } from '../watch/desired-state.ts';
import { updateSince } from '../watch/desired-state.ts';
import type { WatchHub } from '../watch/hub.ts';
import type { RuntimeLease } from './records.ts';

/** The version of the watch protocol that this registry speaks; it talks to one more and one less. */
export const protocolVersion = 2;

export interface WatchPorts {
  readonly hub: WatchHub;
  readonly reader: { refresh(): Promise<void> };
}

export interface WatchRequest {
  /** 0 asks for a snapshot. */
  readonly resumeToken: number;
  /** 0 counts as 1. */
  readonly protocolVersion: number;
}

export interface WatchEvent {
  readonly update: Update;
  /** The watcher's token before this event. */
  readonly since: number;
  /** Set when the live runtimes, their pools, addresses or devices are others than in the event before. */
  readonly runtimes: readonly RuntimeLease[] | undefined;
}

/**
 * What changes for a watcher: at first a snapshot, or what changed since its token; then every change, as soon as the
 * watcher is ready for it. `withRuntimes` also tells of the set of live runtimes.
 */
export async function* watchDesired(
  ports: WatchPorts,
  request: WatchRequest,
  withRuntimes: boolean,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent, void, void> {
  agreeProtocol(request.protocolVersion);
  await catchUp(ports, request.resumeToken);
  let token = request.resumeToken;
  let first = true;
  let known = '';
  while (!signal.aborted) {
    const { sequence, desired, leases } = ports.hub.current;
    const live = withRuntimes ? (leases?.runtimes.filter((runtime) => runtime.live) ?? []) : [];
    const set = JSON.stringify(
      live.map(({ runtimeId, pool, address, devices }) => [runtimeId, pool, address, devices]),
    );
    if (desired && (first || desired.token !== token || set !== known)) {
      const update = first || desired.token !== token ? updateSince(desired, token) : noChange(token);
      yield { update, since: token, runtimes: withRuntimes && set !== known ? live : undefined };
      token = update.token;
      first = false;
      known = set;
    }
    await ports.hub.newerThan(sequence, signal);
  }
}

const noChange = (token: number): Update => ({ token, snapshot: false, models: [] });

/** The version to answer with; `failed-precondition` when the two are too far apart. */
export function agreeProtocol(theirs: number): number {
  if (theirs > protocolVersion + 1) {
    throw failedPrecondition(
      `protocol_version: ${theirs} given; this registry speaks ${protocolVersion} and talks to at most ${protocolVersion + 1}: upgrade the registry first`,
    );
  }
  return Math.min(protocolVersion, theirs || 1);
}

/** A watcher that comes from another replica may be ahead of this one: read again before answering it. */
async function catchUp(ports: WatchPorts, token: number): Promise<void> {
  const { desired } = ports.hub.current;
  if (desired && desired.token >= token) return;
  try {
    await ports.reader.refresh();
  } catch (cause) {
    throw unavailable('the registry cannot read its state now; keep what you have and try again', { cause });
  }
}
