/** Where batches can be handed to: instances, and behind each that runs, `ahead` more places. */
export class Places {
  readonly #ahead: number;
  /** Batches that each instance has and has not freed. */
  readonly #loads: number[];
  /** The batches of each instance, in the order in which they came: all but the first stand behind. */
  readonly #batches: object[][];
  /** When each instance was freed last. */
  readonly #freedAtMs: number[];
  /** The number of the last batch that had been formed then. */
  readonly #formedAtFree: number[];
  #idle: number;
  #free: number;

  /** @param ahead batches that may stand behind the one that an instance runs */
  constructor(instances: number, ahead: number) {
    this.#ahead = ahead;
    this.#loads = Array.from({ length: instances }, () => 0);
    this.#freedAtMs = this.#loads.map(() => -Infinity);
    this.#formedAtFree = this.#loads.map(() => 0);
    this.#batches = this.#loads.map(() => []);
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

  /**
   * The instance that has the least to do; none when all that may take a batch are full.
   * @param mayStandBehind whether a batch may be put behind what the instance runs
   */
  pick(mayStandBehind: (instance: number) => boolean): number | undefined {
    let best: number | undefined;
    for (const [instance, load] of this.#loads.entries()) {
      if (load > this.#ahead || (best !== undefined && load >= this.#loads[best]!)) continue;
      if (load === 0 || mayStandBehind(instance)) best = instance;
    }
    return best;
  }

  /** Takes a place on an instance that was picked. */
  take(instance: number): void {
    if (this.#loads[instance] === 0) this.#idle--;
    this.#loads[instance]!++;
    this.#free--;
  }

  /** The batch for which a place was taken. */
  put(batch: { readonly instance: number }): void {
    this.#batches[batch.instance]!.push(batch);
  }

  /** The number of the last batch that had been formed when the instance was freed last. */
  formedAtFree(instance: number): number {
    return this.#formedAtFree[instance]!;
  }

  /** Whether another batch of its instance comes before it. */
  standsBehind(batch: { readonly instance: number }): boolean {
    return this.#batches[batch.instance]![0] !== batch;
  }

  /** Gives a place back. Returns how long its batch had the instance, in milliseconds. @param formed the number of the last batch so far */
  give(batch: { readonly instance: number; readonly formedAtMs: number }, nowMs: number, formed: number): number {
    const { instance, formedAtMs } = batch;
    const batches = this.#batches[instance]!;
    batches.splice(batches.indexOf(batch), 1);
    const since = Math.max(formedAtMs, this.#freedAtMs[instance]!);
    this.#freedAtMs[instance] = nowMs;
    this.#formedAtFree[instance] = formed;
    this.#loads[instance]!--;
    if (this.#loads[instance] === 0) this.#idle++;
    this.#free++;
    return nowMs - since;
  }
}
