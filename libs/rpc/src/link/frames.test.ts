import { runtimeService } from '@sluice/contracts/services';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  LinkFault,
  decodeHello,
  decodePairs,
  encodeHello,
  encodePairs,
  envelopeBytes,
  frameHead,
  maxPairBytes,
  readEnvelope,
  writeEnvelope,
} from './frames.ts';

describe('pairs', () => {
  it('come back as they were', () => {
    const pairs = fc.dictionary(fc.string({ maxLength: 60 }), fc.string({ unit: 'grapheme', maxLength: 200 }), {
      maxKeys: 20,
    });
    fc.assert(
      fc.property(pairs, (given) => {
        const wellFormed = Object.fromEntries(
          Object.entries(given).map(([key, value]) => [key.toWellFormed(), value.toWellFormed()]),
        );
        const bytes = encodePairs(wellFormed);
        const { pairs: read, next } = decodePairs(bytes, 0, bytes.length);
        expect(next).toBe(bytes.length);
        expect(Object.entries(read).sort()).toEqual(Object.entries(wellFormed).sort());
      }),
    );
  });

  it('do not reach prototypes', () => {
    const bytes = encodePairs(Object.fromEntries([['__proto__', 'x']]));
    const { pairs } = decodePairs(bytes, 0, bytes.length);
    expect(Object.getPrototypeOf(pairs)).toBe(Object.prototype);
    expect(Object.keys(pairs)).toEqual(['__proto__']);
  });

  it('that no frame takes are refused', () => {
    expect(() => encodePairs({ key: 'x'.repeat(maxPairBytes) })).toThrow(LinkFault);
    expect(() => encodePairs({ ['k'.repeat(256)]: '' })).toThrow(LinkFault);
    expect(() => encodePairs(Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`k${i}`, ''])))).toThrow(
      LinkFault,
    );
    const exact = encodePairs({ k: 'x'.repeat(maxPairBytes - 5) });
    expect(exact).toHaveLength(maxPairBytes);
  });

  it('that are cut off are refused wherever they end', () => {
    const bytes = encodePairs({ traceparent: '00-1', other: 'value' });
    for (let end = 0; end < bytes.length; end++) expect(() => decodePairs(bytes, 0, end)).toThrow(LinkFault);
  });
});

it('HELLO comes back as it was, and what a later version adds is ignored', () => {
  const hello = {
    ...{ version: 1, windowBytes: 4_194_304, maxFrameBytes: 196_608, maxBatchBytes: 1_048_576, maxPartialBytes: 7 },
    methods: ['inference.GRPCInferenceService/ModelInfer', 'a.B/C'],
    takesFacts: true,
  };
  const bytes = encodeHello(hello);
  expect(decodeHello(bytes, frameHead, bytes.length)).toEqual(hello);
  const longer = Buffer.concat([bytes, Buffer.from('more')]);
  expect(decodeHello(longer, frameHead, longer.length)).toEqual(hello);
  const older = bytes.length - 1;
  expect(decodeHello(bytes, frameHead, older)).toEqual({ ...hello, takesFacts: false });
  for (let end = frameHead; end < older; end++) expect(() => decodeHello(bytes, frameHead, end)).toThrow(LinkFault);
  expect(() => decodeHello(encodeHello({ ...hello, windowBytes: 0 }), frameHead, bytes.length)).toThrow(/window of 0/);
});

it.each([0, 1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455])(
  'an envelope of %d bytes is that of protobuf',
  (size) => {
    const head = Buffer.alloc(envelopeBytes(size));
    expect(writeEnvelope(head, size)).toBe(head.length);
    if (size > 3_000_000) return;
    const whole = Buffer.concat([head, Buffer.alloc(size)]);
    const link = Object.values(runtimeService.definition).find(({ originalName }) => originalName === 'link')!;
    // Protocol buffers leave a field without bytes out; with it, it means the same.
    if (size > 0) expect(link.requestSerialize({ frames: Buffer.alloc(size) }).equals(whole)).toBe(true);
    expect(link.requestDeserialize(whole)).toEqual({ frames: Buffer.alloc(size) });
    expect(readEnvelope(whole)).toBe(head.length);
    expect(() => readEnvelope(Buffer.concat([whole, Buffer.alloc(1)]))).toThrow(LinkFault);
    if (size > 0) expect(() => readEnvelope(whole.subarray(0, -1))).toThrow(LinkFault);
  },
);
