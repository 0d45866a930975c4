import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Clock, Timer } from '@sluice/domain/clock';
import type { SpoolFiles } from './files.ts';
import { readWhole } from './inspect-segment.ts';
import { acknowledgedFile } from './names.ts';

/** `SSA`, and the version of the layout; then the position (a double), and a CRC-32 of both. */
const magic = Buffer.from([0x53, 0x53, 0x41, 1]);
const positionAt = magic.length;
const checksumAt = positionAt + 8;
/** Bytes of the file. */
export const keptPositionBytes = checksumAt + 4;

/** Milliseconds between two writes. */
const everyMs = 1000;

/**
 * Keeps on disk what is acknowledged, so that a restart need not deliver it again: at most once a second, and when the spool is
 * closed. It is not synced: without it, or with an older one, more is delivered again, and nothing is lost. One that was torn has
 * another checksum.
 */
export class KeptPosition {
  readonly #files: SpoolFiles;
  readonly #path: string;
  readonly #clock: Clock;
  #kept: number;
  #wanted: number;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;

  /** @param kept as it was read */
  constructor(files: SpoolFiles, folder: string, clock: Clock, kept: number) {
    this.#files = files;
    this.#path = join(folder, acknowledgedFile);
    this.#clock = clock;
    this.#kept = this.#wanted = kept;
  }

  /** Another position is acknowledged, higher than those before. */
  changed(position: number): void {
    this.#wanted = position;
    this.#timer ??= this.#clock.schedule(everyMs, () => {
      this.#timer = undefined;
      this.#running ??= this.#write();
    });
  }

  /** Writes it once more, if need be. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#running;
    if (this.#wanted > this.#kept) await this.#write();
  }

  async #write(): Promise<void> {
    const position = this.#wanted;
    const bytes = Buffer.alloc(keptPositionBytes);
    magic.copy(bytes);
    bytes.writeDoubleLE(position, positionAt);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, checksumAt)), checksumAt);
    try {
      const file = await this.#files.open(this.#path);
      try {
        await file.write(bytes, 0);
        this.#kept = position;
      } finally {
        await file.close();
      }
    } catch {
      // What is acknowledged next brings it with it.
    }
    this.#running = undefined;
  }
}

/**
 * Makes the file in its whole length, so that writing it needs no more room later.
 *
 * @param size that it has; undefined where it is not there
 * @returns whether it is there
 */
export async function makeKeptPosition(files: SpoolFiles, folder: string, size: number | undefined): Promise<boolean> {
  if (size === keptPositionBytes) return true;
  const path = join(folder, acknowledgedFile);
  try {
    await files.remove(path);
    const file = await files.create(path);
    try {
      await file.write(Buffer.alloc(keptPositionBytes), 0);
    } finally {
      await file.close();
    }
    return true;
  } catch {
    // A disk that is full: this life of the spool keeps none.
    await files.remove(path).catch(() => undefined);
    return false;
  }
}

/** @returns the position that is kept in a folder; 0 without one that is whole */
export async function readKeptPosition(files: SpoolFiles, folder: string): Promise<number> {
  try {
    const bytes = await readWhole(files, join(folder, acknowledgedFile), keptPositionBytes);
    const isWhole =
      bytes.length === keptPositionBytes &&
      bytes.subarray(0, positionAt).equals(magic) &&
      crc32(bytes.subarray(0, checksumAt)) === bytes.readUInt32LE(checksumAt);
    const position = isWhole ? bytes.readDoubleLE(positionAt) : 0;
    return Number.isSafeInteger(position) && position > 0 ? position : 0;
  } catch {
    return 0;
  }
}
