/**
 * Who gives way when memory is short. What an alias, a move or a release holds (`kept`) never does; what only a pin holds
 * does, and what nothing but requests brought here (`demand`) does before that.
 */
export const holds = ['kept', 'pin', 'demand'] as const;
export type Hold = (typeof holds)[number];

/** A version that holds memory now. */
export interface Resident {
  readonly key: string;
  readonly bytes: number;
  readonly hold: Hold;
  /** It is ready: it can be unloaded. */
  readonly ready: boolean;
  /** It is being unloaded: its memory comes back by itself, soon unless sequences live on it. */
  readonly going: boolean;
  /** Requests are with it; they finish before it is unloaded. */
  readonly busy: boolean;
  /** Sequences live on it, whose states are lost with it; nobody knows when they end. */
  readonly sequences: boolean;
  /** When it was asked for last, on the monotonic clock. */
  readonly lastUsedMs: number;
}

/** A version that wants to be loaded. */
export interface Asking {
  readonly bytes: number;
  readonly hold: Hold;
  /** When it was wanted: only what was used before that makes room for it, unless it is kept. */
  readonly wantedMs: number;
}

export type RoomPlan =
  | { readonly kind: 'fits' }
  /** Unload these, in this order, wait for them and for what is going, and ask again. */
  | { readonly kind: 'wait'; readonly victims: readonly Resident[] }
  /** All that may give way would not be enough; `held` cannot. */
  | { readonly kind: 'no-room'; readonly held: readonly Resident[] };

/**
 * How a version gets room: the versions that were used least recently give way, those of `demand` first, and of each kind
 * those that are idle before those that work. A pinned version takes nothing from one that was used, or placed, later than
 * it was itself: when more is pinned at once than fits, the rest stays unloaded and nothing goes round in circles. What has
 * live sequences gives way last, and only to what is kept; where it leaves already, nobody waits for it.
 */
export function planRoom(budgetBytes: number, residents: readonly Resident[], asking: Asking): RoomPlan {
  const sum = (of: readonly Resident[]): number => of.reduce((total, { bytes }) => total + bytes, 0);
  const missing = sum(residents) + asking.bytes - budgetBytes;
  if (missing <= 0) return { kind: 'fits' };
  const going = residents.filter((resident) => resident.going && !resident.sequences);
  const staying = residents.filter((resident) => !going.includes(resident));
  const may = staying.filter((resident) => mayGiveWay(resident, asking)).sort(order);
  const victims: Resident[] = [];
  let left = missing - sum(going);
  for (const victim of may) {
    if (left <= 0) break;
    victims.push(victim);
    left -= victim.bytes;
  }
  if (left > 0) return { kind: 'no-room', held: staying.filter((resident) => !may.includes(resident)) };
  return { kind: 'wait', victims };
}

function mayGiveWay({ hold, ready, sequences, lastUsedMs }: Resident, asking: Asking): boolean {
  if (!ready || hold === 'kept') return false;
  return asking.hold === 'kept' || (!sequences && lastUsedMs < asking.wantedMs);
}

const order = (one: Resident, other: Resident): number =>
  Number(one.sequences) - Number(other.sequences) ||
  Number(one.hold === 'pin') - Number(other.hold === 'pin') ||
  Number(one.busy) - Number(other.busy) ||
  one.lastUsedMs - other.lastUsedMs;

const mib = (bytes: number): string => `${Math.ceil(bytes / (1 << 20))} MiB`;
/** Names in a message, at most. */
const named = 5;

/** What to tell of a load that has no room, and what to do about it. */
export function noRoomMessage(budgetBytes: number, askingBytes: number, held: readonly Resident[]): string {
  const need = `it needs about ${mib(askingBytes)}, and the memory budget is ${mib(budgetBytes)}`;
  if (held.length === 0) return `no room: ${need}; raise --memory-budget-bytes`;
  const largest = [...held].sort((one, other) => other.bytes - one.bytes);
  const names = largest.slice(0, named).map(({ key, bytes, sequences }) => {
    return `${key} (${mib(bytes)}${sequences ? ', sequences live on it' : ''})`;
  });
  const more = held.length > named ? ` and ${held.length - named} more` : '';
  const taken = mib(held.reduce((total, { bytes }) => total + bytes, 0));
  return `no room: ${need}, of which ${taken} cannot be given up: ${names.join(', ')}${more}; raise --memory-budget-bytes, or take aliases or pins of these away`;
}
