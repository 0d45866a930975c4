import type { Datatype } from '@sluice/domain/datatype';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { field, input, messageOf, number, propertyRuns, signature, tensor } from '../test/fixtures.ts';
import { classifyOutputs, fixedText } from './classification.ts';
import type { ClassWish } from './classification.ts';
import { parseInferRequest } from './infer-request.ts';
import { limits } from './limits.ts';
import { encodeTensor, rawView } from './tensor-data.ts';
import type { PlainValue } from './tensor-data.ts';

/** So many of the largest values of each output, which has no labels. */
const wishes = (...counts: number[]): readonly ClassWish[] => counts.map((count) => ({ count, labels: undefined }));

function top(datatype: Datatype, shape: readonly number[], values: readonly PlainValue[], k: number, batched = true) {
  const output = { name: 'y', datatype, shape, data: encodeTensor(datatype, values) };
  const [part] = classifyOutputs([output], wishes(k), batched);
  return { datatype: part!.datatype, shape: part!.shape, data: part!.data };
}

describe('classifyOutputs', () => {
  it('C1 gives the largest values of each row with their indexes, equal ones by index', () => {
    expect(top('FP32', [2, 4], [0.1, 0.5, 0.5, -1, 3, 2, 1, 3], 3)).toEqual({
      datatype: 'BYTES',
      shape: [2, 3],
      data: ['0.500000:1', '0.500000:2', '0.100000:0', '3.000000:0', '3.000000:3', '2.000000:1'],
    });
  });

  it('C2 gives all where more are wanted than there are, one list without batching, and rows of any shape', () => {
    expect(top('INT64', [3], [-5n, 7n, 2n ** 60n], 9, false)).toMatchObject({
      shape: [3],
      data: [`${2n ** 60n}:2`, '7:1', '-5:0'],
    });
    expect(top('UINT8', [2, 2, 2], [1, 2, 3, 4, 8, 7, 6, 5], 1)).toMatchObject({ shape: [2, 1], data: ['4:3', '8:0'] });
    expect(top('INT32', [2, 2], [4, 1, 2, 3], 2, false)).toMatchObject({ shape: [2], data: ['4:0', '3:3'] });
    // A row of one value has one class, a batch without rows none to name.
    expect(top('FP32', [2], [1, 2], 5)).toMatchObject({ shape: [2, 1], data: ['1.000000:0', '2.000000:0'] });
    expect(top('FP32', [0, 3], [], 2)).toMatchObject({ shape: [0, 2], data: [] });
    expect(top('FP32', [2, 0], [], 2)).toMatchObject({ shape: [2, 0], data: [] });
  });

  it('C3 puts what is no number last and infinities where they belong', () => {
    const data = ['inf:3', '1.000000:1', '-inf:2', 'nan:0', 'nan:4'];
    expect(top('FP64', [1, 5], [NaN, 1, -Infinity, Infinity, NaN], 5)).toMatchObject({ data });
    expect(top('FP16', [1, 2], [0.5, 1.5], 1)).toMatchObject({ data: ['1.500000:1'] });
  });

  it('C4 leaves the outputs alone that are wanted as they are', () => {
    const y = { name: 'y', datatype: 'FP32', shape: [1, 1], data: encodeTensor('FP32', [1]) } as const;
    expect(classifyOutputs([y, y], wishes(0, 1), true)[0]).toBe(y);
    expect(classifyOutputs([y], undefined, true)[0]).toBe(y);
  });

  it('C5 is what sorting gives, for any number of classes', () => {
    const rows = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 70 }), (values, k) => {
        const sorted = values
          .map((value, index) => ({ value, index }))
          .sort((one, other) => other.value - one.value || one.index - other.index);
        const expected = sorted.slice(0, k).map(({ value, index }) => `${value}:${index}`);
        expect(top('INT8', [1, values.length], values, k).data).toEqual(expected);
      }),
      { numRuns: propertyRuns },
    );
  });
});

describe('what classes cost', () => {
  const zeros = (name: string, shape: readonly number[], datatype: Datatype = 'UINT8') => ({
    name,
    datatype,
    shape,
    data: new Uint8Array(shape.reduce((size, dimension) => size * dimension, 1)),
  });
  const refusal = (...of: Parameters<typeof classifyOutputs>) => messageOf(() => classifyOutputs(...of));

  it('C9 is bounded by the values that are listed, of all outputs together', () => {
    const rows = zeros('y', [2, 100_000]);
    expect(classifyOutputs([rows], wishes(50_000), true)[0]!.shape).toEqual([2, 50_000]);
    const why = 'parameter "classification": the answer would list';
    expect(refusal([rows], wishes(50_001), true)).toBe(
      `invalid-argument: output 'y': ${why} 100002 values, at most 100000 are allowed`,
    );
    expect(refusal([rows], wishes(2 ** 31 - 1), false)).toContain(`output 'y': ${why} 200000 values`);
    expect(refusal([zeros('a', [1, 9]), rows, rows], wishes(9, 0, 50_000), true)).toContain(`${why} 100009 values`);
    // More than there are means all, which may be few.
    expect(classifyOutputs([zeros('y', [4, 2])], wishes(2 ** 31 - 1), true)[0]!.shape).toEqual([4, 2]);
  });

  it('C10 is bounded by the values that are looked at, before one is', () => {
    const wide = { ...zeros('y', [0]), shape: [4, 1_000_000], data: { toString: () => 'nobody looks' } as never };
    const why = 'parameter "classification": 4000001 values would be ranked, at most 4000000 are allowed';
    expect(refusal([zeros('a', [1, 1]), wide], wishes(1, 1), true)).toBe(`invalid-argument: output 'y': ${why}`);
  });

  it('C11 is little for the most that is allowed, whatever the values are', () => {
    const values = new Float32Array(limits.rankedValues);
    for (let index = 0; index < values.length; index++) values[index] = index;
    const output = { name: 'y', datatype: 'FP32', shape: [1, values.length], data: rawView(values) } as const;
    const started = performance.now();
    const [part] = classifyOutputs([output], wishes(limits.classes), true);
    const took = performance.now() - started;
    // A fifth of a second on a machine with nothing else to do. On any other, to sort them all takes longer as well.
    const others = values.toReversed();
    const sorting = performance.now();
    others.sort();
    expect(took).toBeLessThan(1_000 + 5 * (performance.now() - sorting));
    expect((part!.data as string[]).slice(0, 2)).toEqual(['3999999.000000:3999999', '3999998.000000:3999998']);
    expect(part!.data).toHaveLength(limits.classes);
  });

  it('C12 finds the same in values that are chosen to make it slow', () => {
    const length = 2_000;
    const values = Array<number>(length).fill(length);
    // The two smallest that are left stand where a step looks, so that it takes away no more than them.
    const places = values.map((_, index) => index);
    for (let low = 0; low + 2 < length; low += 2) {
      const middle = (low + length - 1) >>> 1;
      values[places[low]!] = low;
      values[places[middle]!] = low + 1;
      [places[low + 1], places[middle]] = [places[middle]!, places[low + 1]!];
    }
    const sorted = values
      .map((value, index) => ({ value, index }))
      .sort((one, other) => other.value - one.value || one.index - other.index);
    for (const k of [1, 2, 999, 1_999])
      expect(top('INT32', [1, length], values, k).data).toEqual(
        sorted.slice(0, k).map(({ value, index }) => `${value}:${index}`),
      );
  });
});

describe('fixedText', () => {
  it('C6 prints as C does: ties to even, minus zero, large numbers', () => {
    // What C's printf says to "%f".
    const cases: [number, string][] = [
      [0, '0.000000'],
      [-0, '-0.000000'],
      [1 / 128, '0.007812'],
      [3 / 128, '0.023438'],
      [5 / 128, '0.039062'],
      [-5 / 128, '-0.039062'],
      [127 / 128, '0.992188'],
      [1 / 256, '0.003906'],
      [3 / 64, '0.046875'],
      [0.1, '0.100000'],
      [1e-7, '0.000000'],
      [-1e-7, '-0.000000'],
      [123456.789, '123456.789000'],
      [2 ** 40 + 1 / 128, '1099511627776.007812'],
      [2 ** 45 + 3 / 128, '35184372088832.023438'],
      [1e21, '1000000000000000000000.000000'],
      [-2.5e22, '-24999999999999997902848.000000'],
      [2 ** 53, '9007199254740992.000000'],
      [0.0000005, '0.000000'],
      [Math.fround(0.3), '0.300000'],
      [Math.fround(1 / 7), '0.142857'],
    ];
    for (const [value, text] of cases) expect([value, fixedText(value)]).toEqual([value, text]);
    expect([NaN, Infinity, -Infinity].map(fixedText)).toEqual(['nan', 'inf', '-inf']);
  });
});

describe('the parameter', () => {
  const subject = signature(
    [tensor('x', 'UINT8', [-1])],
    [tensor('y', 'FP32', [-1, 3]), tensor('label', 'BYTES', [-1]), tensor('flag', 'BOOL', [-1])],
  );
  const wanted = (name: string, ...value: number[]) => {
    const parameter = field(2, [...field(1, 'classification'), ...field(2, value)]);
    // Its place in the message must not matter: here it comes before the name.
    return field(6, value.length > 0 ? [...parameter, ...field(1, name)] : field(1, name));
  };
  const parse = (...outputs: number[]) =>
    parseInferRequest(
      Uint8Array.from([...field(1, 'm'), ...input('x', 'UINT8', [1]), ...field(7, [1]), ...outputs]),
      subject,
    );
  const refusal = (...outputs: number[]) => messageOf(() => parse(...outputs));

  it('C7 stands beside the output that it is of', () => {
    expect(parse().classes).toBeUndefined();
    expect(parse(...wanted('label')).classes).toBeUndefined();
    const both = parse(...wanted('label'), ...wanted('y', ...number(2, 2)), ...wanted('flag'));
    expect([both.outputs, both.classes]).toEqual([[1, 0, 2], wishes(0, 2, 0)]);
    expect(parse(...wanted('y', ...number(2, 2n ** 62n))).classes).toEqual(wishes(2 ** 31 - 1));
  });

  it('C13 brings the class names of the output along', () => {
    const named = { ...tensor('y', 'FP32', [-1, 3]), classNames: ['cat', 'dog', 'none: of them'] };
    const { classes } = parseInferRequest(
      Uint8Array.from([
        ...field(1, 'm'),
        ...input('x', 'UINT8', [1]),
        ...field(7, [1]),
        ...wanted('y', ...number(2, 3)),
      ]),
      signature([tensor('x', 'UINT8', [-1])], [named]),
    );
    const y = { name: 'y', datatype: 'FP32', shape: [1, 3], data: encodeTensor('FP32', [0.25, 0.5, 0.125]) } as const;
    const listed = ['0.500000:1:dog', '0.250000:0:cat', '0.125000:2:none: of them'];
    expect(classifyOutputs([y], classes, true)[0]!.data).toEqual(listed);
    // A value beyond the names, and one whose name is empty, have none.
    const few = [{ count: 3, labels: ['', 'dog'] }];
    expect(classifyOutputs([y], few, true)[0]!.data).toEqual(['0.500000:1:dog', '0.250000:0', '0.125000:2']);
  });

  it('C8 is an int64 from 1 up, of an output of numbers', () => {
    const of = `invalid-argument: output 'y': parameter "classification": expected`;
    expect(refusal(...wanted('y', ...number(2, 0)))).toBe(`${of} 1 or more, got 0`);
    expect(refusal(...wanted('y', ...number(2, -1)))).toBe(`${of} 1 or more, got -1`);
    expect(refusal(...wanted('y', ...field(3, '2')))).toBe(`${of} int64, got string`);
    expect(refusal(...wanted('y', ...number(5, 2)))).toBe(`${of} int64, got uint64`);
    for (const [name, datatype] of [
      ['label', 'BYTES'],
      ['flag', 'BOOL'],
    ] as const) {
      expect(refusal(...wanted(name, ...number(2, 2)))).toBe(
        `invalid-argument: output '${name}' of model 'm': classification is not available for ${datatype}`,
      );
    }
  });
});
