import { writeSync } from 'node:fs';

/** What a thread is in native code for. */
export const doings = { nothing: 0, running: 1, loading: 2 } as const;
export type Doing = 'running' | 'loading';

/** Bytes of a mark in the crash file: the version's number there, and what is done with it, each 32 bits, little-endian. */
export const markBytes = 8;

const words = 3;
const versionAt = 0;
const doingAt = 1;
const stepAt = 2;

/** What a thread marks what it does with. */
export interface MarkStart {
  readonly memory: SharedArrayBuffer;
  /** Open file of the process and where in it the thread's mark is; `fd` -1: there is none. */
  readonly fd: number;
  readonly at: number;
}

export const newMarkStart = (fd = -1, at = 0): MarkStart => ({ memory: new SharedArrayBuffer(4 * words), fd, at });

/**
 * A thread's word on what it does in native code: in shared memory for the watchdog, and in a file that outlives the
 * process when that call ends it. The file is written when the version changes or the thread goes to sleep, and not between
 * two batches of one version: what stands there is what runs, or ran some microseconds ago.
 */
export class ThreadMark {
  readonly #start: MarkStart;
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #bytes = new Uint8Array(markBytes);
  readonly #record = new Uint32Array(this.#bytes.buffer);
  #fd: number;

  constructor(start: MarkStart) {
    this.#start = start;
    this.#words = new Int32Array(start.memory);
    this.#fd = start.fd;
  }

  /** A native call begins. @param version its number in the crash file; 0 for one that is not there */
  begins(version: number, doing: Doing): void {
    const code = doings[doing];
    Atomics.store(this.#words, versionAt, version);
    Atomics.store(this.#words, doingAt, code);
    Atomics.add(this.#words, stepAt, 1);
    if (this.#record[0] !== version || this.#record[1] !== code) this.#write(version, code);
  }

  /** The thread is about to sleep. */
  rests(): void {
    Atomics.store(this.#words, doingAt, doings.nothing);
    if (this.#record[1] !== doings.nothing) this.#write(0, doings.nothing);
  }

  #write(version: number, code: number): void {
    this.#record[0] = version;
    this.#record[1] = code;
    if (this.#fd < 0) return;
    try {
      writeSync(this.#fd, this.#bytes, 0, markBytes, this.#start.at);
    } catch {
      // A disk that fails must not fail batches: this thread goes on without a mark in the file.
      this.#fd = -1;
    }
  }
}

/** What a thread does, as others see it. */
export interface ThreadDoing {
  /** The version's number in the crash file. */
  readonly version: number;
  readonly doing: Doing;
  /** Another number means another native call. */
  readonly step: number;
}

/** What a thread does now; undefined when nothing. */
export function doingOf(memory: SharedArrayBuffer): ThreadDoing | undefined {
  const view = new Int32Array(memory);
  const code = Atomics.load(view, doingAt);
  if (code === doings.nothing) return undefined;
  const doing = code === doings.loading ? 'loading' : 'running';
  return { version: Atomics.load(view, versionAt), doing, step: Atomics.load(view, stepAt) };
}
