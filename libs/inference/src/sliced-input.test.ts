import { describe, expect, it } from 'vitest';
import { field, fp32, input, signature, tensor, varint } from '../test/fixtures.ts';
import { encodeStrings } from './bytes-tensor.ts';
import { copyInput, inputStrings, parseInferRequest } from './infer-request.ts';
import type { InferInput } from './infer-request.ts';
import { materialise } from './sliced-input.ts';

const rows = 64;
const texts = Array.from({ length: rows }, (_, row) => 'ü'.repeat(row % 7));

function parsed(datatype: 'BYTES' | 'INT16' | 'FP32', ...bytes: number[]): InferInput {
  const subject = signature([tensor('x', datatype, [-1])]);
  return parseInferRequest(Uint8Array.from([...field(1, 'm'), ...bytes]), subject).inputs[0]!;
}

const typed = (datatype: 'BYTES' | 'INT16' | 'FP32', contents: number[]) =>
  parsed(datatype, ...input('x', datatype, [rows], contents));
const raw = (datatype: 'BYTES' | 'INT16' | 'FP32', bytes: Iterable<number>) =>
  parsed(datatype, ...input('x', datatype, [rows]), ...field(7, [...bytes]));

const numbers = Array.from({ length: rows }, (_, row) => row);
const inputs = {
  'typed BYTES': () =>
    typed(
      'BYTES',
      texts.flatMap((text) => field(8, text)),
    ),
  'raw BYTES': () => raw('BYTES', encodeStrings(texts)),
  'typed INT16': () =>
    typed(
      'INT16',
      field(
        2,
        numbers.flatMap((row) => varint(row - 30)),
      ),
    ),
  'raw INT16': () => raw('INT16', new Uint8Array(Int16Array.from(numbers).buffer)),
  'typed FP32': () => typed('FP32', field(6, fp32(...numbers))),
};

function whole(from: InferInput): Uint8Array {
  const bytes = new Uint8Array(from.byteLength);
  copyInput(from, bytes, 0);
  return bytes;
}

/** Stands in for the bytes of a message and counts those that are looked at or handed on. */
function counted(bytes: Uint8Array): { bytes: Buffer; read: () => number } {
  let read = 0;
  const view = (of: Uint8Array): Buffer =>
    new Proxy(of as Buffer, {
      get(target, key) {
        if (typeof key === 'string' && /^\d+$/.test(key)) read += 1;
        if (key === 'subarray') {
          return (start?: number, end?: number) => {
            const part = target.subarray(start, end);
            read += part.length;
            return part;
          };
        }
        const value: unknown = Reflect.get(target, key, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  return { bytes: view(bytes), read: () => read };
}

describe('materialise', () => {
  it.each(Object.entries(inputs))('L1 copies parts of %s that make up the whole', (_name, make) => {
    const subject = make();
    const sliced = materialise(subject);
    const bytes = new Uint8Array(subject.byteLength);
    let at = 0;
    for (let from = 0; from < rows; from += 5) {
      const to = Math.min(from + 5, rows);
      const length = sliced.copy(bytes, at, from, to);
      expect(length).toBe(sliced.byteLength(from, to));
      at += length;
    }
    expect(at).toBe(subject.byteLength);
    expect(bytes).toEqual(whole(subject));
  });

  it.each(Object.entries(inputs))('L2 reads %s once, however many parts it has', (_name, make) => {
    const plain = make();
    const source = counted(plain.raw ?? plain.contents!.request);
    const subject: InferInput = plain.raw
      ? { ...plain, raw: source.bytes }
      : { ...plain, contents: { request: source.bytes, ranges: plain.contents!.ranges } };
    const bytes = new Uint8Array(subject.byteLength);
    for (let row = 0; row < rows; row++) materialise(subject).copy(bytes, 0, row, row + 1);
    expect(source.read()).toBeGreaterThan(0);
    expect(source.read()).toBeLessThanOrEqual(2 * source.bytes.length);
  });

  it('L3 has inputs without elements, and elements without bytes', () => {
    const none = parsed('BYTES', ...input('x', 'BYTES', [0]));
    expect(materialise(none).copy(new Uint8Array(0), 0, 0, 0)).toBe(0);
    const empty = materialise(raw('BYTES', encodeStrings(numbers.map(() => ''))));
    expect(empty.byteLength(3, 10)).toBe(28);
    expect(inputStrings(inputs['raw BYTES']())).toEqual(texts);
  });

  it('L4 refuses elements that are not there and rooms that are too small', () => {
    const sliced = materialise(inputs['raw BYTES']());
    const room = new Uint8Array(4096);
    expect(() => sliced.copy(room, 0, 0, rows + 1)).toThrow('elements 0 to 65 are not within 0 to 64');
    expect(() => sliced.copy(room, 0, 3, 2)).toThrow(RangeError);
    expect(() => sliced.copy(room, 0, -1, 2)).toThrow(RangeError);
    expect(() => sliced.copy(room, 4090, 0, 5)).toThrow('do not fit the destination');
  });
});
