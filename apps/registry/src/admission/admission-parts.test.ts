import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '@sluice/domain/generated-rows';
import type { TensorSpec } from '@sluice/domain/signature';
import { firstDifference, indexIn, isClose, median } from './compare.ts';
import { Gate } from './gate.ts';
import { joinRows, makeRow, rowShape, toTyped } from './rows.ts';

const toHalf = (values: readonly number[]) => new Uint16Array(Float16Array.from(values).buffer);
const spec = (datatype: TensorSpec['datatype'], shape: number[], extra: Partial<TensorSpec> = {}): TensorSpec => ({
  name: 'x',
  datatype,
  shape,
  dimNames: shape.map(() => ''),
  features: [],
  ...extra,
});

describe('comparing', () => {
  const tolerance = { rtol: 1e-4, atol: 1e-5 };

  it('is exact at the bound: atol + rtol * |expected|', () => {
    expect(isClose(1, 1 + 1.09e-4, true, tolerance)).toBe(true);
    expect(isClose(1, 1 + 1.11e-4, true, tolerance)).toBe(false);
    expect(isClose(0, 1e-5, true, tolerance)).toBe(true);
    expect(isClose(0, 1.01e-5, true, tolerance)).toBe(false);
  });

  it('holds NaN equal to NaN, infinities to themselves, and exact values exact', () => {
    expect(isClose(NaN, NaN, true, tolerance)).toBe(true);
    expect(isClose(NaN, 1, true, tolerance)).toBe(false);
    expect(isClose(Infinity, Infinity, true, tolerance)).toBe(true);
    expect(isClose(Infinity, 1e300, true, tolerance)).toBe(false);
    expect(isClose(10n, 10n, false, tolerance)).toBe(true);
    expect(isClose(100000, 100001, false, tolerance)).toBe(false);
    expect(isClose('a', 'b', false, tolerance)).toBe(false);
  });

  it('names the first difference', () => {
    const left = { name: 'y', shape: [2, 2], values: [1, 2, 3, 4], inexact: true };
    const right = { ...left, values: [1, 2, 9, 4] };
    const range = { expectedFrom: 0, gotFrom: 0, count: 4 };
    expect(firstDifference(left, right, range, tolerance)).toBe('output "y" at [1, 0]: expected 3, got 9');
    expect(firstDifference(left, left, range, tolerance)).toBeUndefined();
    expect(indexIn([2, 3, 4], 23)).toBe('[1, 2, 3]');
    expect(indexIn([], 0)).toBe('[]');
  });

  it('takes the middle', () => {
    expect([median([]), median([3]), median([1, 9, 2]), median([1, 2, 3, 4])]).toEqual([0, 3, 2, 2.5]);
  });
});

describe('rows', () => {
  it('have the shape without the batch, with sizes for dynamic dimensions', () => {
    const sizes: Record<string, number> = { seq: 7 };
    const input = spec('FP32', [-1, -1, 3, -1], { dimNames: ['batch', 'seq', '', ''] });
    expect(rowShape(input, true, (name) => sizes[name] ?? 4)).toEqual([7, 3, 4]);
    expect(rowShape(spec('FP32', []), false, () => 1)).toEqual([]);
  });

  it('stay inside the declared ranges, of the feature first', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const features = [
          { name: 'a', min: 5, max: 6, nullable: false },
          { name: 'b', nullable: false },
          { name: 'c', min: 3, nullable: false },
        ];
        const input = { spec: spec('FP32', [-1, 3], { features }), range: [-2, -1] as const };
        const [a, b, c] = makeRow(input, [3], 'random', seeded(seed), toHalf) as Float32Array;
        expect(a! >= 5 && a! <= 6 && b! >= -2 && b! <= -1).toBe(true);
        // Its own min with the tensor's max: empty, so that the bound that was given holds.
        expect(Number.isFinite(c)).toBe(true);
        const whole = makeRow({ spec: spec('UINT8', [-1]), range: [250, 400] }, [], 'random', seeded(seed), toHalf);
        expect(whole[0] as number).toBeGreaterThanOrEqual(250);
        const plain = makeRow({ spec: spec('INT64', [-1, 2]), range: undefined }, [2], 'random', seeded(seed), toHalf);
        expect([...(plain as BigInt64Array)].every((one) => one === 0n || one === 1n)).toBe(true);
      }),
    );
  });

  it('have missing values only where a feature may', () => {
    const row = (nullable: boolean) => {
      const features = [{ name: 'a', min: 0, max: 1, nullable }];
      const uniform = seeded(1);
      return Array.from(
        { length: 200 },
        () =>
          (
            makeRow(
              { spec: spec('FP32', [-1, 1], { features }), range: undefined },
              [1],
              'random',
              uniform,
              toHalf,
            ) as Float32Array
          )[0]!,
      );
    };
    expect(row(true).some(Number.isNaN)).toBe(true);
    expect(row(false).some(Number.isNaN)).toBe(false);
  });

  it('are the same for the same seed', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, seeded(seed));
    expect(draw(7)).toEqual(draw(7));
    expect(draw(7)).not.toEqual(draw(8));
  });

  it('have the array that the runtime takes', () => {
    expect(toTyped('FP16', [1], toHalf)).toEqual(Uint16Array.of(0x3c00));
    expect(toTyped('BOOL', [true, false], toHalf)).toEqual(Uint8Array.of(1, 0));
    expect(toTyped('UINT64', [3], toHalf)).toEqual(BigUint64Array.of(3n));
    expect(toTyped('BYTES', ['a', 'b'], toHalf)).toEqual(['a', 'b']);
    expect(joinRows([Float32Array.of(1), Float32Array.of(2, 3)])).toEqual(Float32Array.of(1, 2, 3));
    expect(joinRows([['a'], ['b']])).toEqual(['a', 'b']);
    expect(joinRows([BigInt64Array.of(1n), BigInt64Array.of(2n)])).toEqual(BigInt64Array.of(1n, 2n));
  });
});

describe('the gate', () => {
  const held = () => {
    let release = () => {};
    const until = new Promise<void>((resolve) => (release = resolve));
    return { until, release };
  };

  it('lets N in at once, the next when one leaves, in order', async () => {
    const gate = new Gate(2);
    const holds = [held(), held(), held(), held()];
    const begun: number[] = [];
    const all = holds.map((hold, index) =>
      gate.run(async () => {
        begun.push(index);
        await hold.until;
      }),
    );
    await Promise.resolve();
    expect([begun, gate.waiting]).toEqual([[0, 1], 2]);
    holds[1]!.release();
    await all[1];
    expect([begun, gate.inside]).toEqual([[0, 1, 2], 2]);
    for (const hold of holds) hold.release();
    await Promise.all(all);
    expect([begun, gate.inside, gate.waiting]).toEqual([[0, 1, 2, 3], 0, 0]);
  });

  it('lets go of who is cancelled or refused, and goes on after a failure', async () => {
    const gate = new Gate(1);
    const first = held();
    const running = gate.run(() => first.until);
    const stop = new AbortController();
    const waiting = gate.run(async () => 'never', stop.signal);
    const other = gate.run(async () => Promise.reject(new Error('its own')));
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ kind: 'cancelled' });
    first.release();
    await running;
    await expect(other).rejects.toThrow('its own');
    expect(gate.inside).toBe(0);
    const last = held();
    const inside = gate.run(() => last.until);
    const late = gate.run(async () => 'never');
    gate.close();
    await expect(late).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(gate.run(async () => 'never')).rejects.toMatchObject({ kind: 'unavailable' });
    last.release();
    await inside;
  });
});
