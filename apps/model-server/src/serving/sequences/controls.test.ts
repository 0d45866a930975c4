import { describe, expect, it } from 'vitest';
import type { ControlInput } from '@sluice/domain/sequence-batching';
import type { SequenceId } from '@sluice/inference/sequence';
import { decodeTensor } from '@sluice/inference/tensor-data';
import { checkSequenceId, controlWriter } from './controls.ts';

const control = (kind: ControlInput['kind'], datatype: ControlInput['datatype']): ControlInput => ({
  ...{ name: 'C', kind, datatype, dims: [1] },
  ...(datatype === 'FP32' ? { falseValue: -1, trueValue: 0.5 } : { falseValue: 0, trueValue: 1 }),
});
const row = (sequence: SequenceId, start = false, end = false) => ({ request: { sequence, start, end } });

/** What a control tensor holds for these rows. */
function written(what: ControlInput, rows: ReturnType<typeof row>[], count = rows.length) {
  const writer = controlWriter(what);
  // Memory that was used before, shared as that of batches.
  const bytes = writer.bytes(rows, count) || 8 * count;
  const target = new Uint8Array(new SharedArrayBuffer(bytes + 4), 4).fill(255);
  writer.write(target, rows, count);
  const size = { INT32: 4, UINT32: 4, FP32: 4, BOOL: 1 }[what.datatype as string] ?? 8;
  return [...decodeTensor(what.datatype, target.slice(0, what.datatype === 'BYTES' ? bytes : size * count))];
}

describe('controls', () => {
  const rows = [row(7n, true), row(8n), row(9n, false, true), row(10n, true, true)];

  it('say of each row whether it starts, is there, and ends; padding is not there', () => {
    expect(written(control('start', 'INT32'), rows, 5)).toEqual([1, 0, 0, 1, 0]);
    expect(written(control('ready', 'FP32'), rows, 6)).toEqual([0.5, 0.5, 0.5, 0.5, -1, -1]);
    expect(written(control('end', 'BOOL'), rows, 5)).toEqual([0, 0, 1, 1, 0]);
  });

  it('give ids as the model takes them, none to padding', () => {
    const top = 2n ** 64n - 1n;
    expect(written(control('corrid', 'UINT64'), [row(7n), row(top)], 3)).toEqual([7n, top, 0n]);
    expect(written(control('corrid', 'INT64'), [row(top)])).toEqual([-1n]);
    expect(written(control('corrid', 'UINT32'), [row(2n ** 32n - 1n)], 2)).toEqual([2 ** 32 - 1, 0]);
    expect(written(control('corrid', 'INT32'), [row(top)])).toEqual([-1]);
    expect(written(control('corrid', 'BYTES'), [row('é'), row('b')], 3)).toEqual(['é', 'b', '']);
  });

  it.each<[datatype: ControlInput['datatype'], fits: SequenceId[], not: SequenceId[]]>([
    ['UINT64', [1n, 2n ** 64n - 1n], ['1']],
    ['INT64', [2n ** 64n - 1n], ['a']],
    ['UINT32', [2n ** 32n - 1n], [2n ** 32n, 2n ** 64n - 1n]],
    ['INT32', [2n ** 31n - 1n, 2n ** 64n - 1n, 2n ** 64n - 2n ** 31n], [2n ** 31n, 2n ** 64n - 2n ** 31n - 1n]],
    ['BYTES', ['a'], [1n]],
  ])('take the ids that fit %s', (datatype, fits, not) => {
    const controls = [control('start', 'INT32'), control('corrid', datatype)];
    for (const id of fits) expect(() => checkSequenceId(id, controls)).not.toThrow();
    for (const id of not) {
      expect(() => checkSequenceId(id, controls)).toThrow(
        expect.objectContaining({
          kind: 'invalid-argument',
          message: expect.stringMatching(/^parameter "sequence_id": .*"C"/) as string,
        }),
      );
    }
    expect(() => checkSequenceId(not[0]!, [control('start', 'INT32')])).not.toThrow();
  });
});
