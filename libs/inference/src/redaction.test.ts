import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { field, fp32, input, propertyRuns, signature, tensor } from '../test/fixtures.ts';
import { planRedaction, redactedRanges } from './redaction.ts';

const named = (...names: string[]) => names.map((name) => ({ name, nullable: false }));
const people = { ...tensor('people', 'FP32', [-1, 3]), features: named('age', 'height', 'income') };
const notes = tensor('notes', 'BYTES', [-1, 1]);
const ids = tensor('ids', 'INT64', [-1]);
const all = signature([people, notes, ids]);
const raw = (...octets: number[]) => field(7, octets);

/** The request with zeros where the ranges are. */
function redacted(request: readonly number[], names: readonly string[]): number[] | undefined {
  const ranges = redactedRanges(Uint8Array.from(request), planRedaction(all, names)!);
  if (!ranges) return undefined;
  const copy = [...request];
  for (let each = 0; each < ranges.length; each += 2) copy.fill(0, ranges[each], ranges[each]! + ranges[each + 1]!);
  return copy;
}

describe('what is redacted', () => {
  it('are the columns of features, in every row, whatever stands before and between', () => {
    const request = (a: number[], b: number[]) => [
      ...field(1, 'm'),
      ...input('ids', 'INT64', [2]),
      ...input('people', 'FP32', [2, 3]),
      ...raw(...Array<number>(16).fill(9)),
      ...raw(...fp32(...a), ...fp32(...b)),
    ];
    expect(redacted(request([1, 2, 3], [4, 5, 6]), ['income', 'age'])).toEqual(request([0, 2, 0], [0, 5, 0]));
  });

  it('are whole inputs', () => {
    const request = (octet: number) => [...input('ids', 'INT64', [2]), ...raw(...Array<number>(16).fill(octet))];
    expect(redacted(request(7), ['ids', 'age'])).toEqual(request(0));
  });

  it('is nothing where the request has no such input', () => {
    const request = [...input('ids', 'INT64', [1]), ...raw(...Array<number>(8).fill(1))];
    expect(redacted(request, ['age'])).toEqual(request);
  });

  it('is not known of a signature without one of the names', () => {
    expect(planRedaction(all, ['weight'])).toBeUndefined();
    expect(planRedaction(all, ['age', 'weight'])).toBeUndefined();
    expect(planRedaction(all, ['age', 'y'])).toBeUndefined();
  });

  it('has no rows to look at when there are none', () => {
    const request = [...input('people', 'FP32', [0, 3]), ...raw()];
    expect(redacted(request, ['age'])).toEqual(request);
  });
});

describe('a request is not kept at all', () => {
  const people3 = [...input('people', 'FP32', [1, 3])];
  it.each<[string, number[], string]>([
    ['its columns are in typed contents', input('people', 'FP32', [1, 3], field(6, fp32(1, 2, 3))), 'age'],
    ['what is hidden are texts', [...input('notes', 'BYTES', [1, 1]), ...raw(1, 0, 0, 0, 65)], 'notes'],
    ['its bytes are less than its shape', [...people3, ...raw(...fp32(1, 2))], 'age'],
    ['its bytes are more than its shape', [...people3, ...raw(...fp32(1, 2, 3, 4))], 'age'],
    ['its rows are narrower than the column', [...input('people', 'FP32', [3, 1]), ...raw(...fp32(1, 2, 3))], 'income'],
    ['its rows have no width', [...input('people', 'FP32', [-1, -3]), ...raw(...fp32(1, 2, 3))], 'age'],
    ['its input has no bytes', people3, 'age'],
    [
      'it has another input, which may be the one',
      [...people3, ...input('People', 'FP32', [1, 3]), ...raw(...fp32(1, 2, 3)), ...raw()],
      'age',
    ],
    ['it has more bytes than inputs', [...people3, ...raw(...fp32(1, 2, 3)), ...raw(...fp32(1, 2, 3))], 'age'],
    ['its input has another rank', [...input('people', 'FP32', [3]), ...raw(...fp32(1, 2, 3))], 'age'],
    ['it has a field that nobody knows', [...people3, ...raw(...fp32(1, 2, 3)), ...field(99, 'x')], 'age'],
    [
      'its input has one',
      [
        ...field(5, [...field(1, 'people'), ...field(2, 'FP32'), ...field(3, [1, 3]), ...field(9, 'x')]),
        ...raw(...fp32(1, 2, 3)),
      ],
      'age',
    ],
    [
      'it has more rows than can be gone through',
      [...input('people', 'FP32', [70_000, 3]), ...field(7, new Uint8Array(840_000))],
      'age',
    ],
    ['it is no message', [...people3, 0xff], 'age'],
  ])('when %s', (_why, request, name) => {
    expect(redacted(request, [name])).toBeUndefined();
  });
});

it('ranges lie in the request, whatever the request is', { timeout: 20_000 + 10 * propertyRuns }, () => {
  const plan = planRedaction(all, ['age', 'income', 'ids'])!;
  const shape = fc.array(fc.oneof(fc.integer({ min: -2, max: 4 }), fc.maxSafeInteger()), { maxLength: 3 });
  const part = fc.oneof(
    fc
      .tuple(fc.constantFrom('people', 'ids', 'notes'), shape)
      .map(([name, dimensions]) => input(name, 'FP32', dimensions)),
    fc.uint8Array({ maxLength: 40 }).map((octets) => raw(...octets)),
    fc.uint8Array({ maxLength: 5 }).map((octets) => [...octets]),
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 6 }), (parts) => {
      const request = Uint8Array.from(parts.flat());
      const ranges = redactedRanges(request, plan) ?? [];
      for (let each = 0; each < ranges.length; each += 2) {
        expect(ranges[each]).toBeGreaterThanOrEqual(0);
        expect(ranges[each]! + ranges[each + 1]!).toBeLessThanOrEqual(request.length);
      }
    }),
    { numRuns: propertyRuns },
  );
});
