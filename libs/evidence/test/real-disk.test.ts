import { execFileSync, fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync, mkdirSync, readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import type { SpoolEvent } from '../src/spool/contract.ts';
import { propertyRuns } from './property-runs.ts';
import { numberOf, numberedBlock, openReal, readUpTo, throwAwayFolder } from './real-spool.ts';

const isSoak = propertyRuns.numRuns > 300;
const program = join(import.meta.dirname, 'spool-child.ts');

interface Told {
  readonly number?: number;
  readonly position?: number;
  readonly event?: SpoolEvent;
}

/** A child that appends; what it said to be on disk. */
class Child {
  readonly process: ChildProcess;
  readonly positions = new Map<number, number>();
  readonly events: SpoolEvent[] = [];

  constructor(folder: string, from: number) {
    this.process = fork(program, [folder, String(from)], { execArgv: ['--conditions=@sluice/source'] });
    this.process.on('message', ({ number, position, event }: Told) => {
      if (event) this.events.push(event);
      else if (number !== undefined) this.positions.set(number, position!);
    });
  }

  async kill(): Promise<void> {
    const ended = once(this.process, 'close');
    this.process.kill('SIGKILL');
    await ended;
  }
}

describe('on a real disk', () => {
  it(
    'L1 kill -9 in the middle of appends costs nothing that was said to be on disk, and frees the folder',
    { timeout: 600_000 },
    async () => {
      using folder = throwAwayFolder();
      const owed = new Map<number, number>();
      for (let round = 0; round < (isSoak ? 50 : 3); round++) {
        const child = new Child(folder.path, round * 1_000_000 + 1);
        await eventually(() => expect(child.positions.size).toBeGreaterThan(100 + 50 * round), 120_000, 1);
        const events: SpoolEvent[] = [];
        // It has the folder as long as it lives.
        await expect(openReal(folder.path, events)).rejects.toMatchObject({ kind: 'failed-precondition' });
        await child.kill();
        for (const [number, position] of child.positions) owed.set(position, number);
        const spool = await openReal(folder.path, events);
        expect(events.filter(({ kind }) => kind !== 'torn')).toEqual([]);
        const blocks = await readUpTo(spool, spool.status.position);
        const read = new Map(blocks.map((block) => [block.position, numberOf(block)]));
        expect([...read.values()]).not.toContain(NaN);
        for (const [position, number] of owed) expect(read.get(position)).toBe(number);
        // The next round begins with a part of it.
        const half = [...owed.keys()].sort((one, other) => one - other)[Math.floor(owed.size / 2)]!;
        spool.acknowledge(half);
        for (const position of owed.keys()) if (position <= half) owed.delete(position);
        await spool.close();
      }
    },
  );

  it('L2 a second spool in the same process is refused too, and the files are for nobody else', async () => {
    using folder = throwAwayFolder();
    const spool = await openReal(join(folder.path, 'a', 'b'), []);
    await expect(openReal(join(folder.path, 'a', 'b'), [])).rejects.toThrow('give each router a folder of its own');
    const position = spool.append(numberedBlock(1), 1)!;
    await new Promise((resolve) => spool.synced(position, resolve));
    for (const name of readdirSync(join(folder.path, 'a', 'b'))) {
      // SQLite made it, and it is empty.
      if (name === 'lock') continue;
      expect(statSync(join(folder.path, 'a', 'b', name)).mode & 0o077).toBe(0);
    }
    await spool.close();
    await (await openReal(join(folder.path, 'a', 'b'), [])).close();
  });

  it('L3 no file stays open behind a spool that has come and gone', async () => {
    using folder = throwAwayFolder();
    const before = openFiles();
    for (let each = 0; each < 3; each++) {
      const spool = await openReal(folder.path, []);
      let last = 0;
      for (let number = 0; number < 400; number++) last = spool.append(numberedBlock(number), 1) ?? last;
      await new Promise((resolve) => spool.synced(last, resolve));
      await readUpTo(spool, last);
      spool.acknowledge(last);
      spool.seal();
      await eventually(() => expect(spool.oldestMs).toBe(undefined));
      await spool.close();
    }
    await eventually(() => expect(openFiles()).toBeLessThanOrEqual(before));
  });

  it(
    'L4 a disk that is full refuses durable blocks, drops and counts the others, and all goes on when it is not',
    { timeout: 120_000 },
    async ({ skip }) => {
      using folder = throwAwayFolder();
      const mounted = join(folder.path, 'small');
      mkdirSync(mounted);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', mounted], { stdio: 'pipe' });
      } catch (error) {
        skip(`mounting a tmpfs is not allowed here: ${String(error).split('\n')[0]}`);
        return;
      }
      try {
        await fillAndFree(mounted);
      } finally {
        execFileSync('umount', ['-l', mounted]);
      }
    },
  );
});

async function fillAndFree(mounted: string): Promise<void> {
  const events: SpoolEvent[] = [];
  const spool = await openReal(join(mounted, 'spool'), events);
  const ballast = join(mounted, 'ballast');
  writeFileSync(ballast, Buffer.alloc(300 * 1024));
  const answered: number[] = [];
  const failed: unknown[] = [];
  let refused = 0;
  const one = async (): Promise<void> => {
    spool.append(numberedBlock(1), 1);
    const position = spool.reserve(4104)?.append(numberedBlock(2), 1);
    if (position === undefined) {
      refused++;
      return;
    }
    await new Promise<void>((resolve) => {
      spool.synced(position, (error) => {
        if (error) failed.push(error);
        else answered.push(position);
        resolve();
      });
    });
  };
  await eventually(async () => {
    for (let each = 0; each < 20; each++) await one();
    expect(refused).toBeGreaterThan(0);
    expect(spool.status.diskFailed).toBe(true);
  }, 60_000);
  expect(failed).toEqual([]);
  expect(spool.status.droppedBlocks).toBeGreaterThan(0);
  expect(spool.keepProbability()).toBeLessThan(0.2);
  unlinkSync(ballast);
  const before = answered.length;
  await eventually(async () => {
    await one();
    expect(answered.length).toBeGreaterThan(before);
  }, 60_000);
  expect(events.map(({ kind }) => kind)).toEqual(['disk-failed', 'disk-recovered']);
  const read = new Set((await readUpTo(spool, answered.at(-1)!)).map(({ position }) => position));
  for (const position of answered) expect(read).toContain(position);
  await spool.close();
}

/** How many files this process has open. */
function openFiles(): number {
  let count = 0;
  for (let descriptor = 0; descriptor < 256; descriptor++) {
    try {
      fstatSync(descriptor);
      count++;
    } catch {
      // It is not open.
    }
  }
  return count;
}
