/** What a runtime says of a version that it was told to load. */
export const loadStates = ['loading', 'ready', 'failed', 'unloading', 'evicted'] as const;
export type LoadState = (typeof loadStates)[number];

/** States of a move of an alias. Only `requested` is not an end. */
export const aliasMoveStates = [
  /** Desired; the runtimes are loading the version. */
  'requested',
  /** The alias points to the new version. */
  'effective',
  /** Given up, with reasons; the alias never moved. */
  'withdrawn',
  /** Cancelled by a person before it took effect. */
  'cancelled',
] as const;
export type AliasMoveState = (typeof aliasMoveStates)[number];

export const defaultMoveTimeoutMs = 60_000;

/** What a live runtime of the pool last reported of the version that a move is to. */
export interface RuntimeReport {
  readonly runtimeId: string;
  /** The revision that the runtime has applied; a report from before the move says nothing about it. */
  readonly appliedRevision: number;
  /** Undefined when it has not spoken of the version yet. */
  readonly state: LoadState | undefined;
  /** Why it failed; '' otherwise. */
  readonly reason: string;
}

/** A requested move, as the policy needs it. */
export interface RequestedMove {
  /** The runtimes that are to load the version, for people: `pool default`. */
  readonly where: string;
  /** Why there is no such runtime, to be said where there is none. */
  readonly nobody: string;
  /** The revision of the request. */
  readonly requestedRevision: number;
  /** When its time-out is over; milliseconds since the epoch, the database's clock. */
  readonly deadline: number;
}

export type MoveAction =
  | { readonly kind: 'wait' }
  /** `reasons` name the runtimes that were not waited for. */
  | { readonly kind: 'effective'; readonly reasons: readonly string[] }
  | { readonly kind: 'withdrawn'; readonly reasons: readonly string[] };

/**
 * What to do with a requested move now. It takes effect when every live runtime of the pool has the version ready, or
 * at least one at the time-out. It is withdrawn when all (and at least one) have failed, or at the time-out when none
 * has it ready. Whoever has a live lease now counts, also one that joined meanwhile.
 */
export function nextMoveAction(move: RequestedMove, runtimes: readonly RuntimeReport[], now: number): MoveAction {
  const heard = runtimes.map((runtime) => ({ ...runtime, state: stateSince(move, runtime) }));
  const ready = heard.filter((runtime) => runtime.state === 'ready');
  const failed = heard.filter((runtime) => runtime.state === 'failed');
  if (heard.length > 0 && ready.length === heard.length) return { kind: 'effective', reasons: [] };
  if (heard.length > 0 && failed.length === heard.length) return { kind: 'withdrawn', reasons: failed.map(reasonOf) };
  if (now < move.deadline) return { kind: 'wait' };
  const missing = heard.filter((runtime) => runtime.state !== 'ready').map(reasonOf);
  if (ready.length > 0) return { kind: 'effective', reasons: missing };
  return {
    kind: 'withdrawn',
    reasons: [
      `no live runtime of ${move.where} reported it ready before the time-out`,
      ...(heard.length === 0 ? [move.nobody] : missing),
    ],
  };
}

function stateSince(move: RequestedMove, runtime: RuntimeReport): LoadState | undefined {
  return runtime.appliedRevision >= move.requestedRevision ? runtime.state : undefined;
}

function reasonOf(runtime: RuntimeReport): string {
  switch (runtime.state) {
    case 'failed':
      return `runtime ${runtime.runtimeId} failed: ${runtime.reason || 'it gave no reason'}`;
    case 'loading':
      return `runtime ${runtime.runtimeId} is still loading it`;
    case 'unloading':
      return `runtime ${runtime.runtimeId} is unloading it`;
    case 'evicted':
      return `runtime ${runtime.runtimeId} has unloaded it to make room for others`;
    case 'ready':
      return `runtime ${runtime.runtimeId} has it ready`;
    case undefined:
      return `runtime ${runtime.runtimeId} has not said anything of it`;
  }
}
