import { SluiceError } from '@sluice/domain/errors';

/** Where a placed version is in its life on this runtime. */
export const versionStates = [
  /** Told to load it; its turn has not come. */
  'assigned',
  /** Fetching files and checking their digests. */
  'downloading',
  /** Sessions are being made. */
  'loading',
  /** Generated batches run; nobody is answered yet. */
  'warming',
  /** Takes requests. */
  'ready',
  /** Makes room for others: it finishes what it has; new requests wait until it is loaded again. */
  'evicting',
  /** Unloaded, to be loaded again at the next request. */
  'evicted',
  /** Takes nothing new and finishes what it has. */
  'draining',
  /** Gone: its memory is given back. */
  'unloaded',
  /** Could not be loaded, or lost its session; the reason is kept beside it. */
  'failed',
] as const;
export type VersionState = (typeof versionStates)[number];

/** What can happen to a version. */
export type VersionEvent =
  | 'start'
  | 'fetched'
  | 'loaded'
  | 'warmed'
  | 'fail'
  | 'retry'
  | 'evict'
  | 'emptied'
  | 'demand'
  | 'withdraw'
  | 'drained';

const ways: Readonly<Record<VersionState, Partial<Record<VersionEvent, VersionState>>>> = {
  // There may be no room for it, and then it does not begin.
  assigned: { start: 'downloading', evict: 'evicted', fail: 'failed', withdraw: 'unloaded' },
  downloading: { fetched: 'loading', fail: 'failed', withdraw: 'unloaded' },
  loading: { loaded: 'warming', fail: 'failed', withdraw: 'unloaded' },
  warming: { warmed: 'ready', fail: 'failed', withdraw: 'unloaded' },
  ready: { fail: 'failed', evict: 'evicting', withdraw: 'draining' },
  evicting: { emptied: 'evicted', withdraw: 'draining' },
  evicted: { demand: 'assigned', withdraw: 'unloaded' },
  draining: { drained: 'unloaded', fail: 'unloaded' },
  unloaded: {},
  failed: { retry: 'assigned', withdraw: 'unloaded' },
};

/**
 * The state that follows.
 * @throws SluiceError internal when the event cannot happen in this state
 */
export function nextState(state: VersionState, event: VersionEvent): VersionState {
  const next = ways[state][event];
  if (next) return next;
  throw new SluiceError('internal', `a version that is ${state} cannot take the event "${event}"`);
}

/** Whether an event can happen in a state. */
export function canTake(state: VersionState, event: VersionEvent): boolean {
  return ways[state][event] !== undefined;
}
