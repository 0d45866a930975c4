import { SluiceError } from '@sluice/domain/errors';
import { noRoomMessage, planRoom, type Resident, type RoomPlan } from './memory-budget.ts';
import type { ServedVersion } from './served-version.ts';

export interface MemoryRoomPorts {
  readonly budgetBytes: number;
  /** Versions that are served here, and those on their way out. */
  readonly versions: () => readonly ServedVersion[];
  /** By version, those on their way out with the promise of their end. */
  readonly leaving: ReadonlyMap<ServedVersion, Promise<void>>;
  /** Requests wait for that version. */
  readonly isAwaited: (key: string) => boolean;
}

/** When a caller may try again after it found no room, in milliseconds. */
const retryAfterMs = 1_000;

/** Makes room in the memory budget for versions that are to be loaded. */
export class MemoryRoom {
  readonly budgetBytes: number;
  /** Versions that were unloaded for others. */
  evictions = 0;
  readonly #ports: MemoryRoomPorts;

  constructor(ports: MemoryRoomPorts) {
    this.budgetBytes = ports.budgetBytes;
    this.#ports = ports;
  }

  /** What the versions hold of the budget. */
  get heldBytes(): number {
    return this.#residents().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** What it takes to load a version now. */
  plan(version: ServedVersion): RoomPlan {
    const { key, memoryBytes: bytes, hold } = version;
    // Whoever waits is the one to ask last.
    const wantedMs = this.#ports.isAwaited(key) ? Infinity : version.wantedMs;
    return planRoom(this.budgetBytes, this.#residents(), { bytes, hold, wantedMs });
  }

  /**
   * Makes room for a version, however long the requests of those that give way take; their sequences have a limit.
   * @returns why there is none; undefined when there is, or when the version is not wanted any more
   */
  async make(version: ServedVersion): Promise<SluiceError | undefined> {
    while (version.state === 'assigned') {
      const plan = this.plan(version);
      if (plan.kind === 'fits') return undefined;
      if (plan.kind === 'no-room') {
        const message = noRoomMessage(this.budgetBytes, version.memoryBytes, plan.held);
        return new SluiceError('resource-exhausted', message, { retryAfterMs });
      }
      const evicted = plan.victims.map(({ key }) => this.#evict(key));
      // With nobody to unload, somebody is on the way out already.
      await (evicted.length > 0 ? Promise.all(evicted) : Promise.race(this.#ports.leaving.values()));
    }
    return undefined;
  }

  async #evict(key: string): Promise<void> {
    this.evictions += 1;
    await this.#ports
      .versions()
      .find((version) => version.key === key)
      ?.evict();
  }

  #residents(): readonly Resident[] {
    const { versions, leaving } = this.#ports;
    return [...versions(), ...leaving.keys()]
      .filter(({ holdsMemory }) => holdsMemory)
      .map((version) => ({
        key: version.key,
        bytes: version.memoryBytes,
        hold: version.hold,
        ready: version.state === 'ready',
        going: leaving.has(version),
        busy: version.isBusy,
        sequences: version.hasSequences,
        lastUsedMs: version.lastUsedMs,
      }));
  }
}
