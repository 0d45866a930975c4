import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { StrikeKind } from '@sluice/domain/quarantine';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { StrikeBook } from '../src/watchdog/strike-book.ts';
import { temporaryFolder } from './support/runtime.ts';

const [a, b] = [
  { model: 'a', version: 1, digest: 'da' },
  { model: 'b', version: 2, digest: 'db' },
];
const day = 24 * 60 * 60 * 1000;
let folder: string;
let clock: FakeClock;
let book: StrikeBook;
const strike = (id: string, of = a, kind: StrikeKind = 'crashed') => ({
  strike: { ...of, id, kind, atMs: clock.now() },
  suspicion: undefined,
});
const suspicion = (id: string, ...versions: (typeof a)[]) => ({
  strike: undefined,
  suspicion: { id, versions, atMs: clock.now() },
});
const again = async (): Promise<StrikeBook> => {
  const next = new StrikeBook(folder, () => clock.now());
  await next.read();
  return next;
};

beforeEach(async () => {
  folder = temporaryFolder();
  clock = new FakeClock();
  book = await again();
});

describe('the book of strikes', () => {
  it('outlives the process, has each strike once, and knows which the registry has heard of', async () => {
    await book.add(strike('s1'));
    await book.add(strike('s2', b));
    await book.add(strike('s1'));
    await book.reported('s1');
    book = await again();
    expect(book.strikes.map(({ id, reported }) => [id, reported])).toEqual([
      ['s1', true],
      ['s2', false],
    ]);
    expect(book.unreported.map(({ id }) => id)).toEqual(['s2']);
  });

  it('keeps a strike for a day, and until it was reported', async () => {
    await book.add(strike('s1'));
    await book.add(strike('s2', b));
    await book.reported('s1');
    clock.advance(day - 1);
    expect(book.isStruck(a)).toBe(true);
    clock.advance(1);
    expect([book.isStruck(a), book.isStruck(b)]).toEqual([false, true]);
    await book.add({ strike: undefined, suspicion: undefined });
    expect((await again()).strikes.map(({ id }) => id)).toEqual(['s2']);
    expect(book.isStruck({ ...b, digest: 'other' })).toBe(false);
  });

  it('holds a version back that ended its load, or that struck three times, until the registry has heard', async () => {
    for (const id of ['s1', 's2']) await book.add(strike(id));
    expect(book.heldBack(a)).toBeUndefined();
    await book.add(strike('s3'));
    expect(book.heldBack(a)).toBe('it ended this runtime 3 times; it is tried again when the registry has heard of it');
    await book.add(strike('l1', b, 'hung-loading'));
    expect(book.heldBack(b)).toMatch(/^it ended this runtime while it was loaded; /);
    for (const id of ['s1', 'l1']) await book.reported(id);
    expect([book.heldBack(a), book.heldBack(b)]).toEqual([undefined, undefined]);
  });

  it('keeps suspects together for an hour, or until one of them is found to be the cause', async () => {
    await book.add(suspicion('e1', a, b));
    book = await again();
    expect(book.suspectUntil(a)).toBe(clock.now() + 3_600_000);
    clock.advance(3_599_999);
    expect(book.suspectUntil(b)).toBe(clock.now() + 1);
    clock.advance(1);
    expect(book.suspectUntil(b)).toBeUndefined();
    await book.add(suspicion('e2', a, b));
    expect(book.suspicions).toHaveLength(1);
    await book.add(strike('s1', b));
    expect([book.suspectUntil(a), book.suspicions]).toEqual([undefined, []]);
  });

  it('refuses a file that it did not write', async () => {
    writeFileSync(path.join(folder, 'strikes.json'), '{"format":2}');
    await expect(again()).rejects.toThrow();
  });
});
