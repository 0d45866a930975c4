import type { Pacer } from './driver.ts';
import { asked, machineMs, type PacerMemory, wakes } from './pacer-memory.ts';

/** Wakes an open loop through the pacer's thread. */
export class ThreadPacer implements Pacer {
  readonly #memory: PacerMemory;
  readonly #monotonic: () => number;
  #wanted: { readonly at: number; readonly fn: () => void } | undefined;
  #isListening = false;

  /** @param monotonic the clock that `wakeAt` is on */
  constructor(memory: PacerMemory, monotonic: () => number) {
    this.#memory = memory;
    this.#monotonic = monotonic;
  }

  wakeAt(at: number, fn: () => void): void {
    this.#wanted = { at, fn };
    const { words, due } = this.#memory;
    const seen = Atomics.load(words, wakes);
    due[0] = machineMs() + at - this.#monotonic();
    Atomics.add(words, asked, 1);
    Atomics.notify(words, asked);
    if (!this.#isListening) void this.#listen(seen);
  }

  soon(fn: () => void): void {
    setImmediate(fn);
  }

  cancel(): void {
    this.#wanted = undefined;
  }

  async #listen(seen: number): Promise<void> {
    this.#isListening = true;
    const waiting = Atomics.waitAsync(this.#memory.words, wakes, seen);
    if (waiting.async) await waiting.value;
    this.#isListening = false;
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    // A wake that was asked for before the last: goes on waiting for the last.
    if (wanted.at > this.#monotonic()) this.wakeAt(wanted.at, wanted.fn);
    else {
      this.#wanted = undefined;
      wanted.fn();
    }
  }
}
