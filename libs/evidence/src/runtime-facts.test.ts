import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../test/property-runs.ts';
import { decodeRuntimeFacts, encodeRuntimeFacts, runtimeFactsBytes } from './runtime-facts.ts';
import type { RuntimeFacts } from './runtime-facts.ts';

const most = 0xffff_ffff;
const whole = fc.integer({ min: 0, max: most });
const facts: fc.Arbitrary<RuntimeFacts> = fc.record({
  ...{ queueMicros: whole, runMicros: whole, totalMicros: whole, batchRows: whole, rows: whole },
  costMicros: fc.float({ noNaN: true, min: 0, noDefaultInfinity: true }),
});
const example: RuntimeFacts = {
  ...{ queueMicros: 0x01020304, runMicros: 5, totalMicros: 0x0a0b0c0d, batchRows: 64, costMicros: 1.5, rows: 3 },
};
const exampleOctets = '01' + '04030201' + '05000000' + '0d0c0b0a' + '40000000' + '0000c03f' + '03000000';

describe('facts of a runtime', () => {
  it('come back as they were, whatever stood in the memory, and wherever they lie', () => {
    fc.assert(
      fc.property(facts, fc.uint8Array({ minLength: runtimeFactsBytes, maxLength: 60 }), (given, memory) => {
        const into = Buffer.from(memory);
        const octets = encodeRuntimeFacts(given, into);
        expect([octets.buffer, octets.byteOffset, octets.length]).toEqual([
          into.buffer,
          into.byteOffset,
          runtimeFactsBytes,
        ]);
        expect(into.subarray(runtimeFactsBytes).equals(memory.subarray(runtimeFactsBytes))).toBe(true);
        expect(decodeRuntimeFacts(octets)).toEqual(given);
        // A view of no Buffer, in the middle of other memory.
        const elsewhere = new Uint8Array(100);
        elsewhere.set(octets, 7);
        expect(decodeRuntimeFacts(elsewhere.subarray(7, 7 + runtimeFactsBytes))).toEqual(given);
        expect(encodeRuntimeFacts(given)).toEqual(octets);
      }),
      propertyRuns,
    );
  });

  it('lie as the layout says', () => {
    expect(Buffer.from(encodeRuntimeFacts(example)).toString('hex')).toBe(exampleOctets);
    expect(decodeRuntimeFacts(Buffer.from(exampleOctets, 'hex'))).toEqual(example);
  });

  it('are whole numbers that fit: what has no place stands as the nearest that has', () => {
    const number = fc.double();
    const counts = fc.record({
      ...{ queueMicros: number, runMicros: number, totalMicros: number, batchRows: number, rows: number },
      costMicros: fc.constant(0),
    });
    fc.assert(
      fc.property(counts, (given) => {
        const read = decodeRuntimeFacts(encodeRuntimeFacts(given))!;
        const nearest = (value: number): number => (value > 0 ? Math.min(Math.floor(value), most) : 0);
        for (const name of ['queueMicros', 'runMicros', 'totalMicros', 'batchRows', 'rows'] as const)
          expect([name, read[name]]).toEqual([name, nearest(given[name])]);
      }),
      propertyRuns,
    );
    for (const [given, there] of [
      [most - 0.1, most - 1],
      [most, most],
      [most + 1, most],
      [0.9, 0],
      [-1, 0],
      [NaN, 0],
    ])
      expect(decodeRuntimeFacts(encodeRuntimeFacts({ ...example, queueMicros: given! }))!.queueMicros).toBe(there);
  });

  it('have a cost that may be summed up, whatever was written', () => {
    for (const costMicros of [NaN, -1, Infinity])
      expect(decodeRuntimeFacts(encodeRuntimeFacts({ ...example, costMicros }))!.costMicros).toBe(0);
  });

  it('of another version, cut off, or none at all are undefined; what follows them is ignored', () => {
    const octets = Buffer.from(exampleOctets, 'hex');
    for (let version = 0; version < 256; version++) {
      const other = Buffer.from(octets);
      other[0] = version;
      expect(decodeRuntimeFacts(other)).toEqual(version === 1 ? example : undefined);
    }
    for (let length = 0; length < runtimeFactsBytes; length++)
      expect(decodeRuntimeFacts(octets.subarray(0, length))).toBeUndefined();
    expect(decodeRuntimeFacts(undefined)).toBeUndefined();
    expect(decodeRuntimeFacts(Buffer.concat([octets, Buffer.from('more')]))).toEqual(example);
  });

  it('fit into a link', () => {
    expect(runtimeFactsBytes).toBeLessThanOrEqual(255);
  });
});
