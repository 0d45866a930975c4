import { describe, expect, it } from 'vitest';
import {
  type Checkpoint,
  decodeJournal,
  differenceOf,
  encodeRecord,
  type Finished,
  hasBegun,
  type JournalRecord,
  type RunHeader,
  type RunIdentity,
} from './journal.ts';

const identity: RunIdentity = {
  model: 'digits',
  asked: 'champion',
  input: { sha256: 'a'.repeat(64), bytes: 10, format: 'csv', header: true },
  output: { format: 'parquet', columns: ['id'], outputs: [] },
  limit: null,
};
const header: RunHeader = { kind: 'run', identity, version: '3' };
const checkpoint = (rows: number): Checkpoint => ({
  kind: 'checkpoint',
  after: { rows, offset: rows * 10, lines: rows },
  output: { rows, bytes: rows, note: 'ä' },
  rejects: { rows: 0, bytes: 0 },
});
const finished: Finished = {
  kind: 'finished',
  rowsRead: 2,
  output: { rows: 2, bytes: 5, sha256: 'b'.repeat(64) },
  rejects: { rows: 0, bytes: 0 },
};
const text = [header, checkpoint(1), checkpoint(2), finished].map(encodeRecord).join('');

describe('the journal of a batch run', () => {
  it('is read as it was written', () => {
    expect(decodeJournal(text)).toEqual({
      header,
      checkpoints: [checkpoint(1), checkpoint(2)],
      finished,
      bytes: Buffer.byteLength(text),
    });
  });

  it('ends at the first record that is not whole, wherever it was cut off', () => {
    const whole = [header, checkpoint(1)].map(encodeRecord).join('');
    const last = encodeRecord(checkpoint(2));
    for (let cut = 0; cut < last.length; cut += 1) {
      const journal = decodeJournal(whole + last.slice(0, cut))!;
      expect(journal.checkpoints).toEqual([checkpoint(1)]);
      expect(journal.bytes).toBe(Buffer.byteLength(whole));
    }
    const first = encodeRecord(header);
    for (let cut = 0; cut < first.length; cut += 1) expect(decodeJournal(first.slice(0, cut))).toBeUndefined();
  });

  it('takes no record whose bytes are others, and none after it', () => {
    const damaged =
      encodeRecord(header) + encodeRecord(checkpoint(1)).replace('"rows":1', '"rows":7') + encodeRecord(checkpoint(2));
    expect(decodeJournal(damaged)?.checkpoints).toEqual([]);
    expect(decodeJournal(encodeRecord(checkpoint(1)))).toBeUndefined();
  });

  it('is nothing to go on with before its first checkpoint', () => {
    const begun = (...records: JournalRecord[]) => hasBegun(decodeJournal(records.map(encodeRecord).join(''))!);
    expect([begun(header), begun(header, checkpoint(1)), begun(header, finished)]).toEqual([false, true, true]);
  });

  it.each<[Partial<RunIdentity>, RegExp]>([
    [{ model: 'wdbc' }, /^the model was "digits", now "wdbc"/],
    [{ asked: '' }, /^--model-version was "champion", now ""/],
    [{ limit: 5 }, /^--limit was null, now 5/],
    [
      { input: { ...identity.input, sha256: 'c'.repeat(64), bytes: 11 } },
      /^the input is another: it had 10 bytes .* now 11/,
    ],
    [{ input: { ...identity.input, format: 'jsonl' } }, /^the input format/],
    [{ input: { ...identity.input, header: false } }, /^the heading/],
    [{ output: { ...identity.output, format: 'csv' } }, /^the output format/],
    [{ output: { ...identity.output, columns: [] } }, /^--columns was \["id"\], now \[\]/],
    [{ output: { ...identity.output, outputs: ['x'] } }, /^--outputs/],
  ])('is of another run with %j', (change, difference) => {
    expect(differenceOf(identity, { ...identity, ...change })).toMatch(difference);
    expect(differenceOf(identity, structuredClone(identity))).toBe('');
  });
});
