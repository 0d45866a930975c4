import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { doings, markBytes, newMarkStart, type Doing, type MarkStart } from '../runtime/thread-mark.ts';

/** A version as the crash file names it. */
export interface NamedVersion {
  readonly model: string;
  readonly version: number;
  readonly digest: string;
}

/** A version that was in native code when its process ended. */
export interface Ran extends NamedVersion {
  readonly doing: Doing;
}

/** What the crash file of an earlier life says. */
export interface LastLife {
  /** Names that life. */
  readonly epoch: string;
  /** It had been told to stop, or the machine was started since: whatever ran is no cause. */
  readonly innocent: boolean;
  /** Of each thread that was in native code. */
  readonly ran: readonly Ran[];
  /** What the watchdog ended that life for. */
  readonly hung: Ran | undefined;
}

const magic = 'sluice-crash-1\n';
const stateAt = 16;
const hungAt = 24;
const marksAt = 64;
/** Names follow here, one JSON value a line: first who wrote the file, then versions by their number, from 1. */
const namesAt = 65_536;
const threadsAtMost = (namesAt - marksAt) / markBytes;

const inUse = 1;
const stopping = 2;

/**
 * Says which versions are in native code, in a file that is there when such a call has ended the process: a slot for each
 * thread, written by it (`ThreadMark`) and never synced, since the process dies and not the machine. One process per file.
 */
export class CrashFile {
  /** -1 once the file could not be written: what crashes from then on is nobody's. */
  #fd = -1;
  readonly #onProblem: (error: unknown) => void;
  readonly #numbers = new Map<string, number>();
  readonly #versions: NamedVersion[] = [];
  readonly #free: number[] = [];
  readonly #threads = new Map<MarkStart, number>();
  #slots = 0;
  #end = namesAt;

  /**
   * Begins a new file in place of the one of the last life, whose word must have been taken care of.
   * @param boot names the start of the machine; '' when that is not known
   * @param onProblem told when the file cannot be written, which fails nothing else
   */
  constructor(stateDir: string, epoch: string, boot: string, onProblem: (error: unknown) => void) {
    this.#onProblem = onProblem;
    const file = fileOf(stateDir);
    const temporary = `${file}.new`;
    const head = Buffer.alloc(namesAt);
    head.write(magic, 'latin1');
    head.writeUInt32LE(inUse, stateAt);
    try {
      this.#fd = openSync(temporary, 'w+', 0o644);
      this.#write(head, 0);
      this.#append({ epoch, boot });
      // Once, so that room on the disk is no question later.
      if (this.#fd >= 0) fsyncSync(this.#fd);
      renameSync(temporary, file);
    } catch (error) {
      this.#lose(error);
    }
  }

  /** The number of a version in the file, the same for the same bytes. */
  numberOf({ model, version, digest }: NamedVersion): number {
    const name = { model, version, digest };
    const key = JSON.stringify(name);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#append(name);
    this.#versions.push(name);
    const number = this.#versions.length;
    this.#numbers.set(key, number);
    return number;
  }

  versionOf(number: number): NamedVersion | undefined {
    return this.#versions[number - 1];
  }

  /** What a new thread is to mark what it does with; beyond thousands of threads, without a place in the file. */
  takeMark(): MarkStart {
    const slot = this.#free.pop() ?? this.#slots++;
    const hasPlace = slot < threadsAtMost && this.#fd >= 0;
    const start = hasPlace ? newMarkStart(this.#fd, marksAt + slot * markBytes) : newMarkStart();
    this.#threads.set(start, slot);
    return start;
  }

  /** A thread has ended, whatever its mark says. */
  giveMark(start: MarkStart): void {
    const slot = this.#threads.get(start);
    if (slot === undefined) return;
    this.#threads.delete(start);
    if (start.fd >= 0) this.#write(new Uint8Array(markBytes), start.at);
    this.#free.push(slot);
  }

  /** The process is about to be ended for what this version does, and for nothing else. */
  blame(version: number, doing: Doing): void {
    const record = Buffer.alloc(markBytes);
    record.writeUInt32LE(version, 0);
    record.writeUInt32LE(doings[doing], 4);
    this.#write(record, hungAt);
  }

  /** The process was told to stop: should it be killed on the way, no version is the cause. */
  stopping(): void {
    const record = Buffer.alloc(4);
    record.writeUInt32LE(stopping, 0);
    this.#write(record, stateAt);
  }

  /** Not while a thread may still write to what has this number by then. */
  close(): void {
    if (this.#fd >= 0 && this.#threads.size === 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #append(value: unknown): void {
    const line = Buffer.from(`${JSON.stringify(value)}\n`);
    this.#write(line, this.#end);
    this.#end += line.length;
  }

  #write(bytes: Uint8Array, at: number): void {
    if (this.#fd < 0) return;
    try {
      writeSync(this.#fd, bytes, 0, bytes.length, at);
    } catch (error) {
      this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    this.#fd = -1;
    this.#onProblem(error);
  }
}

const fileOf = (stateDir: string): string => path.join(stateDir, 'crash');

/**
 * What the last life left; undefined when there is none, or the file is not what this software writes.
 * @param boot as for the file itself
 * @throws the file system's error, but for a file that is not there
 */
export function readLastLife(stateDir: string, boot: string): LastLife | undefined {
  let bytes: Buffer;
  try {
    bytes = readFileSync(fileOf(stateDir));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (bytes.length < namesAt || bytes.toString('latin1', 0, magic.length) !== magic) return undefined;
  const [writer, ...names] = bytes.toString('utf8', namesAt).split('\n').slice(0, -1).map(parsed);
  const { epoch, boot: wroteIn } = (writer ?? {}) as { readonly epoch?: unknown; readonly boot?: unknown };
  if (typeof epoch !== 'string') return undefined;
  const at = (offset: number): Ran | undefined => {
    const name = names[bytes.readUInt32LE(offset) - 1];
    const code = bytes.readUInt32LE(offset + 4);
    if (!isNamed(name) || (code !== doings.running && code !== doings.loading)) return undefined;
    return { ...name, doing: code === doings.loading ? 'loading' : 'running' };
  };
  const ran: Ran[] = [];
  for (let offset = marksAt; offset < namesAt; offset += markBytes) {
    const mark = at(offset);
    if (mark) ran.push(mark);
  }
  const innocent = bytes.readUInt32LE(stateAt) !== inUse || wroteIn !== boot;
  return { epoch, innocent, ran, hung: at(hungAt) };
}

/** The last line may be cut short, and then its version has run nothing. */
function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isNamed(value: unknown): value is NamedVersion {
  if (typeof value !== 'object' || value === null) return false;
  const { model, version, digest } = value as Partial<Record<keyof NamedVersion, unknown>>;
  return typeof model === 'string' && Number.isSafeInteger(version) && typeof digest === 'string';
}

/** Names the start of the machine where it can be known: marks of before it say nothing, since nobody synced them. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}
