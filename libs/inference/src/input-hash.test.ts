import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { field, fp32, input, number } from '../test/fixtures.ts';
import { hashInputs } from './input-hash.ts';

const inputs = input('x', 'FP32', [1, 2]);
const raw = field(7, fp32(1, 2));
const sha256 = (octets: readonly number[]) => createHash('sha256').update(Uint8Array.from(octets)).digest('latin1');
const hashOf = (...parts: readonly number[][]) => hashInputs(Uint8Array.from(parts.flat()));

it('is SHA-256 of the inputs as they came', () => {
  expect(hashOf(inputs, raw)).toBe(sha256([...inputs, ...raw]));
  expect(hashOf(inputs, field(7, fp32(1, 3)))).not.toBe(hashOf(inputs, raw));
  expect(hashOf(raw, inputs)).not.toBe(hashOf(inputs, raw));
});

it('does not change with what else is in the request, and where', () => {
  const plain = hashOf(inputs, raw);
  expect(hashOf(field(1, 'digits'), field(2, '3'), field(3, 'id'), inputs, raw)).toBe(plain);
  expect(hashOf(inputs, field(6, field(1, 'y')), raw)).toBe(plain);
  expect(hashOf(inputs, raw, field(1, 'digits'), number(99, 7))).toBe(plain);
  expect(hashOf(field(4, []), inputs, field(3, 'a'), field(2, '1'), raw, field(6, []))).toBe(plain);
});

it('of no inputs is that of nothing', () => {
  expect(hashOf()).toBe(sha256([]));
  expect(hashOf(field(1, 'digits'))).toBe(sha256([]));
});

it('is none of more than 256 KiB', () => {
  const of = (octets: number) => hashInputs(Buffer.from([...inputs, ...field(7, new Uint8Array(octets))]));
  const rest = inputs.length + 5;
  expect(of(262_144 - rest + 1)?.length).toBe(32);
  expect(of(262_144)).toBeUndefined();
});

it('is none of what is no message', () => {
  expect(hashOf(inputs, [0x3a, 200])).toBeUndefined();
});
