import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@sluice/domain/clock';
import type { SpoolEvent, StoredBlock } from '../src/spool/contract.ts';
import { nodeFiles } from '../src/spool/node-files.ts';
import type { SpoolOptions } from '../src/spool/options.ts';
import { openSpool } from '../src/spool/spool.ts';
import type { Spool } from '../src/spool/spool.ts';
import { keyOf } from './spool-rig.ts';

/** A real clock, for tests with a real disk. */
export const machineClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  schedule: (ms, fn) => {
    // eslint-disable-next-line no-restricted-globals -- a real clock, to wait for a real disk
    const timer = setTimeout(fn, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

export const realOptions = (folder: string): SpoolOptions => ({
  folder,
  ...{ key: keyOf('one'), segmentBytes: 256 * 1024, maxBytes: 64 * 2 ** 20, flushMs: 5, retryMs: 20 },
});

/** A block of the length that its number says. */
export function numberedBlock(number: number): Buffer {
  const block = Buffer.alloc(8 + ((number * 7919) & 0xfff), number & 255);
  block.writeDoubleLE(number);
  return block;
}

/** Its number, where it is whole. */
export function numberOf({ block }: StoredBlock): number {
  const bytes = Buffer.from(block);
  const number = bytes.readDoubleLE();
  return bytes.equals(numberedBlock(number)) ? number : NaN;
}

export function openReal(folder: string, events: SpoolEvent[], options: Partial<SpoolOptions> = {}): Promise<Spool> {
  const ports = {
    files: nodeFiles,
    clock: machineClock,
    randomBytes,
    onEvent: (event: SpoolEvent) => void events.push(event),
  };
  return openSpool({ ...realOptions(folder), ...options }, ports);
}

/** Blocks up to a position. */
export async function readUpTo(spool: Spool, position: number): Promise<StoredBlock[]> {
  const cursor = spool.read(0);
  const blocks: StoredBlock[] = [];
  while ((blocks.at(-1)?.position ?? 0) < position) blocks.push((await cursor.next())!);
  await cursor.close();
  return blocks;
}

/** A folder that is gone when the scope is left. */
export function throwAwayFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'sluice-spool-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
