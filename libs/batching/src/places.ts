/** Where batches can be handed to: instances, and behind each that runs, `ahead` more places. */
export class Places {
  /** Batches that each instance has and has not freed. */
  readonly #loads: number[];
  /** When each instance was freed last. */
  readonly #freedAtMs: number[];
  #idle: number;
  #free: number;

  constructor(instances: number, ahead: number) {
    this.#loads = Array.from({ length: instances }, () => 0);
    this.#freedAtMs = this.#loads.map(() => -Infinity);
    this.#idle = instances;
    this.#free = instances * (1 + ahead);
  }

  /** Instances that have nothing to do. */
  get idle(): number {
    return this.#idle;
  }

  /** Places for batches: on idle instances, or behind what runs. */
  get free(): number {
    return this.#free;
  }

  /** Takes a place on the instance that has the least to do. There must be one that is free. */
  take(): number {
    let best = 0;
    for (const [instance, load] of this.#loads.entries()) if (load < this.#loads[best]!) best = instance;
    if (this.#loads[best] === 0) this.#idle--;
    this.#loads[best]!++;
    this.#free--;
    return best;
  }

  /** Gives a place back. Returns how long its batch had the instance, in milliseconds. @param formedAtMs of that batch */
  give(instance: number, formedAtMs: number, nowMs: number): number {
    const since = Math.max(formedAtMs, this.#freedAtMs[instance]!);
    this.#freedAtMs[instance] = nowMs;
    this.#loads[instance]!--;
    if (this.#loads[instance] === 0) this.#idle++;
    this.#free++;
    return nowMs - since;
  }
}
