/** What routers must know of one version. */
export interface VersionStatus {
  readonly model: string;
  readonly version: number;
  readonly ready: boolean;
  /** Not ready, and a request that comes waits until it is. */
  readonly onDemand: boolean;
  readonly reason: string;
}

/** What routers must know of this runtime; each state replaces the one before. */
export interface RuntimeStatus {
  readonly versions: readonly VersionStatus[];
  readonly draining: boolean;
}

/** The runtime's state for those who watch it. A slow watcher misses states in between, never the last. */
export class StatusBoard {
  #status: RuntimeStatus = { versions: [], draining: false };
  #revision = 0;
  #waiting: (() => void)[] = [];

  get status(): RuntimeStatus {
    return this.#status;
  }

  publish(status: RuntimeStatus): void {
    this.#status = status;
    this.#revision += 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** The state of now, and then every change, until `signal` aborts. */
  async *watch(signal: AbortSignal): AsyncGenerator<RuntimeStatus, void, undefined> {
    let seen = -1;
    while (!signal.aborted) {
      if (seen === this.#revision) {
        await this.#change(signal);
        continue;
      }
      seen = this.#revision;
      yield this.#status;
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener('abort', gone);
        resolve();
      };
      const gone = (): void => {
        this.#waiting = this.#waiting.filter((other) => other !== wake);
        resolve();
      };
      this.#waiting.push(wake);
      signal.addEventListener('abort', gone, { once: true });
    });
  }
}
