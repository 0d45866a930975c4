import type { SluiceError } from '@sluice/domain/errors';
import { armRoles } from '@sluice/domain/release';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { propertyRuns } from '../test/property-runs.ts';
import { BlockWriter } from './block-writer.ts';
import { emptyDraft } from './draft.ts';
import type { RecordDraft } from './draft.ts';
import { EncodedContext } from './encoded-context.ts';
import { at, frameHeader, magic, maxTextBytes } from './layout.ts';
import { readBlock } from './read-block.ts';
import { payloadStates, routeReasons } from './record.ts';
import type { EvidenceContext, EvidenceRecord } from './record.ts';

const context: EvidenceContext = {
  ...{
    model: 'digits',
    version: 2,
    versionDigest: 'ab12',
    releaseId: 'digits@7',
    seedId: 'digits/1',
    policyVersion: 3,
  },
  ...{ arm: 'candidate', servedArm: 'primary', role: 'candidate', propensity: 0.25, retentionClass: 'standard' },
};
const id = '0197a1b2-c3d4-7ef0-89ab-cdef01234567';

const hash = (length: number) => fc.option(fc.uint8Array({ minLength: length, maxLength: length }), { nil: undefined });
const count = fc.integer({ min: 0, max: 0xffff_ffff });
const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const timings = fc.record({
  ...{ queueMicros: count, runMicros: count, totalMicros: count, batchRows: count },
  costMicros: fc.float({ noNaN: true, min: 0, noDefaultInfinity: true }),
});
const contexts = fc.record({
  ...{
    model: text,
    versionDigest: text,
    releaseId: text,
    seedId: text,
    arm: text,
    servedArm: text,
    retentionClass: text,
  },
  ...{ version: fc.maxSafeNat(), policyVersion: fc.maxSafeNat() },
  role: fc.constantFrom(undefined, ...armRoles),
  propensity: fc.double({ min: 0, max: 1, noNaN: true }),
});
const pieces = fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 3 });
const fields = fc.record({
  predictionId: fc.uuid({ version: 7 }),
  attempt: fc.integer({ min: 1, max: 255 }),
  answered: fc.boolean(),
  reason: fc.constantFrom(...routeReasons),
  ...{ status: fc.integer({ min: 0, max: 16 }), fallbackStatus: fc.integer({ min: 0, max: 16 }) },
  receivedMs: fc.double({ min: 0, max: 4e12, noNaN: true }),
  keepProbability: fc.double({ min: 0.01, max: 1, noNaN: true }),
  ...{ sentMicros: count, endedMicros: count, rows: count },
  timings: fc.option(timings, { nil: undefined }),
  ...{ unitHash: hash(16), inputHash: hash(32) },
  ...{ requestId: text, subject: text, caller: text, traceId: text, rule: text, runtime: text },
  ...{ requestState: fc.constantFrom(...payloadStates), responseState: fc.constantFrom(...payloadStates) },
  ...{ request: fc.uint8Array({ maxLength: 200 }), response: pieces },
});

const latin1 = (octets: Uint8Array | undefined) => octets && Buffer.from(octets).toString('latin1');

/** What was drawn, as it is to come back: payloads are there when they were captured. */
function drafts(context: EncodedContext, drawn: typeof fields extends fc.Arbitrary<infer Value> ? Value : never) {
  const { requestState, responseState } = drawn;
  const request = requestState === 'captured' ? drawn.request : undefined;
  const response = responseState === 'captured' ? drawn.response : undefined;
  const hashes = { unitHash: latin1(drawn.unitHash), inputHash: latin1(drawn.inputHash) };
  const draft: RecordDraft = { ...drawn, ...hashes, context, request, redactions: undefined, response };
  const joined = response && Buffer.concat(response);
  const record: EvidenceRecord = { ...drawn, context: context.context, request, response: joined };
  return { draft, record };
}

const plain = (record: EvidenceRecord) => ({
  ...record,
  unitHash: record.unitHash && [...record.unitHash],
  inputHash: record.inputHash && [...record.inputHash],
  request: record.request && [...record.request],
  response: record.response && [...record.response],
});

function written(...changes: Partial<RecordDraft>[]): BlockWriter {
  const writer = new BlockWriter(65_536);
  for (const change of changes) {
    expect(writer.append({ ...emptyDraft(new EncodedContext(context)), predictionId: id, ...change })).toBe(true);
  }
  return writer;
}

function refusal(block: Uint8Array): SluiceError {
  try {
    readBlock(block);
  } catch (error) {
    return error as SluiceError;
  }
  throw new Error('it was taken');
}

describe('a block', () => {
  it(
    'gives back what was written, in its order, whatever it was',
    { timeout: 20_000 + 10 * propertyRuns.numRuns },
    () => {
      const drawn = fc.array(fc.tuple(fc.nat(2), fields), { maxLength: 6 });
      fc.assert(
        fc.property(fc.array(contexts, { minLength: 3, maxLength: 3 }), drawn, (three, records) => {
          const encoded = three.map((each) => new EncodedContext(each));
          const writer = new BlockWriter(1 << 20);
          // Twice: what is left of the block before must not show.
          for (let round = 0; round < 2; round++) {
            writer.clear();
            const made = records.map(([which, each]) => drafts(encoded[which]!, each));
            for (const { draft } of made) expect(writer.append(draft)).toBe(true);
            expect(readBlock(writer.block).map(plain)).toEqual(made.map(({ record }) => plain(record)));
            expect(writer.records).toBe(made.length);
          }
        }),
        propertyRuns,
      );
    },
  );

  it('has each context once, and each of its blocks anew', () => {
    const encoded = new EncodedContext(context);
    const writer = new BlockWriter(65_536);
    const lengths = [0, 1, 2].map(() => {
      writer.append({ ...emptyDraft(encoded), predictionId: id });
      return writer.length;
    });
    expect(lengths[0]! - magic.length).toBe(encoded.frame.length + frameHeader + at.fixed);
    expect(lengths[2]! - lengths[1]!).toBe(frameHeader + at.fixed);
    writer.clear();
    writer.append({ ...emptyDraft(encoded), predictionId: id });
    expect(readBlock(writer.block)[0]?.context).toEqual(context);
  });

  it('takes no record that does not fit, and one that is larger than a block alone', () => {
    const draft = { ...emptyDraft(new EncodedContext(context)), predictionId: id };
    const writer = new BlockWriter(BlockWriter.sizeOf(draft) + magic.length + frameHeader + at.fixed);
    expect([writer.append(draft), writer.append(draft)]).toEqual([true, false]);
    expect(readBlock(writer.block)).toHaveLength(1);
    writer.clear();
    const request = Buffer.alloc(100_000, 7);
    const large = { ...draft, requestState: 'captured', request } as const;
    expect([writer.append(large), writer.append(large)]).toEqual([true, false]);
    expect(readBlock(writer.block)[0]?.request).toEqual(request);
    // Blocks after it are as large as they were before.
    writer.clear();
    expect([writer.append(draft), writer.append(draft)]).toEqual([true, false]);
  });

  it('gives a record back that was appended last, and its context where that came with it', () => {
    const writer = new BlockWriter(65_536);
    const [one, other] = [emptyDraft(new EncodedContext(context)), emptyDraft(new EncodedContext(context))];
    writer.append({ ...one, requestId: '1' });
    const before = Buffer.from(writer.block);
    for (const draft of [one, other]) {
      writer.append(draft);
      writer.takeBack(draft);
      expect([writer.records, Buffer.from(writer.block).equals(before)]).toEqual([1, true]);
    }
    for (const draft of [one, other]) writer.append({ ...draft, requestId: '2' });
    expect(readBlock(writer.block).map(({ requestId }) => requestId)).toEqual(['1', '2', '2']);
    expect(readBlock(writer.block)[2]!.context).toEqual(context);
  });

  it('has zeros where a request is redacted, and the request itself keeps what it has', () => {
    const request = Buffer.from('0123456789');
    const { block } = written({ requestState: 'captured', request, redactions: [1, 2, 8, 1] });
    expect(Buffer.from(readBlock(block)[0]!.request!).toString()).toBe('0\0\x0034567\x009');
    expect(request.toString()).toBe('0123456789');
  });

  it('cuts a text that is too long at the end of a character', () => {
    const { block } = written({ requestId: `a${'é'.repeat(maxTextBytes)}` });
    expect(readBlock(block)[0]?.requestId).toBe(`a${'é'.repeat(maxTextBytes / 2 - 1)}`);
    const long = new BlockWriter(65_536);
    long.append({
      ...emptyDraft(new EncodedContext({ ...context, arm: `a${'é'.repeat(maxTextBytes)}` })),
      predictionId: id,
    });
    expect(readBlock(long.block)[0]?.context.arm).toBe(`a${'é'.repeat(maxTextBytes / 2 - 1)}`);
  });

  it.each([
    [2 ** 40, 0xffff_ffff],
    [-5, 0],
    [1.9, 1],
    [NaN, 0],
  ])('counts %d as %d', (value, counted) => {
    expect(readBlock(written({ endedMicros: value }).block)[0]?.endedMicros).toBe(counted);
  });

  it('of nothing is nothing', () => {
    expect(readBlock(written().block)).toEqual([]);
  });
});

describe('what is no block', () => {
  it('is refused with what is wrong, wherever it was cut', () => {
    const { block } = written({ requestId: 'a', requestState: 'captured', request: Buffer.from('abc') });
    const whole = magic.length;
    for (let end = 0; end < block.length; end++) {
      if (end === whole || end === whole + new EncodedContext(context).frame.length) continue;
      expect([end, refusal(block.subarray(0, end)).kind]).toEqual([end, 'data-loss']);
    }
  });

  it('is never read beyond its end, whatever octet is another', { timeout: 20_000 + 10 * propertyRuns.numRuns }, () => {
    const { block } = written({ requestId: 'a', requestState: 'captured', request: Buffer.from('abc') }, {});
    fc.assert(
      fc.property(fc.nat(block.length - 1), fc.nat(255), (pos, octet) => {
        const damaged = Buffer.from(block);
        damaged[pos] = octet;
        try {
          readBlock(damaged);
        } catch (error) {
          expect(['data-loss', 'unimplemented']).toContain((error as SluiceError).kind);
        }
      }),
      propertyRuns,
    );
  });

  it('of a later layout is told from a damaged one', () => {
    const later = Buffer.from(written({}).block);
    later[3] = 9;
    expect(refusal(later)).toMatchObject({
      kind: 'unimplemented',
      message: expect.stringContaining('layout 9') as string,
    });
  });
});
