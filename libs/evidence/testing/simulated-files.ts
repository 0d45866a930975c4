import { dirname, basename } from 'node:path';
import { failedPrecondition } from '@sluice/domain/errors';
import type { FileEntry, FolderLock, SpoolFile, SpoolFiles } from '../src/spool/files.ts';
import { Disk } from './simulated-disk.ts';
import type { Content } from './simulated-disk.ts';

/** What the spool asked of the file system. */
export type OperationKind =
  | 'makeFolder'
  | 'lock'
  | 'create'
  | 'open'
  | 'list'
  | 'remove'
  | 'rename'
  | 'syncFolder'
  | 'write'
  | 'read'
  | 'sync'
  | 'truncate'
  | 'close';

export interface Operation {
  readonly number: number;
  readonly kind: OperationKind;
  readonly path: string;
  /** The bytes of a read: from, and up to. */
  readonly range?: readonly [number, number];
}

/** How a crash leaves what was not synced. `random`, from 0 to below 1, says how much of it; without it all is lost. */
export interface CrashOptions {
  readonly random?: () => number;
}

/**
 * A file system in memory that behaves as badly as one may: what was not synced is lost in a crash, a failed sync forgets what it
 * had to write, a full disk writes a part. It can be stopped between any two operations, and fails them as told.
 */
export class SimulatedFiles {
  readonly trace: Operation[] = [];
  /** Says with which code an operation fails; undefined: it does not. */
  fault: (operation: Operation) => string | undefined = () => undefined;
  /** Called after each operation. */
  onOperation: (operation: Operation) => void = () => undefined;
  /** Whether operations wait for `step`. */
  isHeld = false;
  readonly disk = new Disk();
  #operations = 0;
  #life = 0;
  /** Who has the folder. */
  lockedBy: number | undefined;
  #held: (() => void)[] = [];

  get operations(): number {
    return this.#operations;
  }

  /** Operations that wait. */
  get waiting(): number {
    return this.#held.length;
  }

  /** Lets waiting operations go on, the oldest first, and what follows from them as far as it needs no other. */
  async step(count = 1): Promise<void> {
    for (let each = 0; each < count; each++) {
      this.#held.shift()?.();
      await turn();
    }
  }

  /** Lets all go on, and no longer holds any. */
  async run(): Promise<void> {
    this.isHeld = false;
    for (const each of this.#held.splice(0)) each();
    await turn();
  }

  /** The process and its machine end: what it waits for never comes, and what it had not synced is lost. */
  crash(options: CrashOptions = {}): void {
    this.kill();
    this.disk.lose(options.random);
  }

  /** The process ends, and the machine stays. */
  kill(): void {
    this.#life++;
    this.#held = [];
    this.lockedBy = undefined;
    this.isHeld = false;
  }

  /** The file system, for a process that begins now. */
  process(): SpoolFiles {
    return new SimulatedProcess(this, this.#life);
  }

  /**
   * Does one operation of a process; one that has ended waits for ever.
   *
   * @param failed what happens to it all the same when it fails
   */
  async perform<Result>(life: number, named: Named, work: () => Result, failed?: () => void): Promise<Result> {
    if (life !== this.#life) return new Promise<never>(() => undefined);
    const operation = { number: ++this.#operations, ...named };
    if (this.isHeld) await new Promise<void>((resolve) => this.#held.push(resolve));
    else await Promise.resolve();
    // It may have ended meanwhile.
    if (this.#hasEnded(life)) return new Promise<never>(() => undefined);
    this.trace.push(operation);
    const code = this.fault(operation);
    if (code !== undefined) {
      failed?.();
      throw coded(code, named.path);
    }
    const result = work();
    this.onOperation(operation);
    return result;
  }

  #hasEnded(life: number): boolean {
    return life !== this.#life;
  }
}

type Named = Omit<Operation, 'number'>;

class SimulatedProcess implements SpoolFiles {
  readonly #machine: SimulatedFiles;
  readonly #life: number;

  constructor(machine: SimulatedFiles, life: number) {
    this.#machine = machine;
    this.#life = life;
  }

  get disk(): Disk {
    return this.#machine.disk;
  }

  makeFolder(path: string): Promise<void> {
    return this.#do('makeFolder', path, () => this.disk.makeFolder(path));
  }

  lock(folder: string): Promise<FolderLock> {
    return this.#do('lock', folder, () => {
      if (this.#machine.lockedBy !== undefined)
        throw failedPrecondition(`the spool ${folder} is in use by another process`);
      const life = (this.#machine.lockedBy = this.#life);
      return {
        release: () => {
          if (this.#machine.lockedBy === life) this.#machine.lockedBy = undefined;
        },
      };
    });
  }

  create(path: string): Promise<SpoolFile> {
    return this.#do('create', path, () => this.#file(path, this.disk.create(path)));
  }

  open(path: string): Promise<SpoolFile> {
    return this.#do('open', path, () => this.#file(path, this.disk.find(path)));
  }

  list(folder: string): Promise<readonly FileEntry[]> {
    return this.#do('list', folder, () => this.disk.list(folder));
  }

  remove(path: string): Promise<boolean> {
    return this.#do('remove', path, () => this.disk.remove(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#do('rename', from, () => this.disk.rename(from, to));
  }

  syncFolder(path: string): Promise<void> {
    return this.#do('syncFolder', path, () => this.disk.syncFolder(path));
  }

  #file(path: string, content: Content): SpoolFile {
    let isOpen = true;
    const check = (): void => {
      if (!isOpen) throw coded('EBADF', path);
    };
    const act = <Result>(kind: OperationKind, work: () => Result, failed?: () => void): Promise<Result> =>
      this.#do(
        kind,
        path,
        () => {
          check();
          return work();
        },
        failed,
      );
    return {
      write: (bytes, at) => {
        // The caller may use its memory again after the call, not before.
        const half = bytes.subarray(0, bytes.length >> 1);
        return act(
          'write',
          () => this.disk.write(content, bytes, at),
          () => this.disk.write(content, half, at),
        );
      },
      read: (into, at) => {
        const work = (): number => {
          check();
          return content.read(into, at);
        };
        return this.#machine.perform(this.#life, { kind: 'read', path, range: [at, at + into.length] }, work);
      },
      sync: () =>
        act(
          'sync',
          () => content.sync(),
          () => content.forget(),
        ),
      truncate: (length) => act('truncate', () => content.truncate(length)),
      close: () => act('close', () => void (isOpen = false)),
    };
  }

  #do<Result>(kind: OperationKind, path: string, work: () => Result, failed?: () => void): Promise<Result> {
    return this.#machine.perform(this.#life, { kind, path }, work, failed);
  }
}

/** Until all that can go on without the file system has done so. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function coded(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${basename(path)} in ${dirname(path)}`), { code });
}
