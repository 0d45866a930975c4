import { describe, expect, it } from 'vitest';
import { field, number } from '../test/fixtures.ts';
import { buildInferResponse, readInferResponse } from './infer-response.ts';
import { inferStreamCodec, streamAnswer, streamFailure } from './infer-stream.ts';
import type { ParameterValue } from './parameters.ts';
import { buildInferRequest } from './request-builder.ts';
import { responseParameter } from './rewrite.ts';
import { WireReader } from './wire-reader.ts';

const answer = buildInferResponse({
  modelName: 'm',
  modelVersion: '3',
  id: 'i',
  outputs: [{ name: 'y', datatype: 'UINT8', shape: [300], data: new Uint8Array(300).fill(7) }],
});
const request = (parameters: Readonly<Record<string, ParameterValue>> = {}) =>
  buildInferRequest({
    modelName: 'm',
    modelVersion: 'champion',
    id: 'größe',
    parameters: new Map(Object.entries(parameters)),
    inputs: [{ name: 'x', datatype: 'UINT8', shape: [2], data: Uint8Array.of(1, 2) }],
  });

/** The fields of a ModelStreamInferResponse, in their order. */
function fields(message: Uint8Array): [number, Buffer][] {
  const reader = new WireReader(message, 'ModelStreamInferResponse');
  const found: [number, Buffer][] = [];
  while (reader.next()) {
    const end = reader.length('a field');
    found.push([reader.field, reader.bytes.subarray(reader.pos, end)]);
    reader.pos = end;
  }
  return found;
}

describe('streamAnswer', () => {
  it('M1 carries an answer, and what was added to it, as one infer_response', () => {
    const stamped = [answer, responseParameter('prediction_id', { kind: 'string', value: 'p' })];
    const [[number, inner], ...others] = fields(streamAnswer(request(), stamped)) as [[number, Buffer]];
    expect([number, others]).toEqual([2, []]);
    expect(inner.equals(Buffer.concat(stamped))).toBe(true);
  });

  it('M2 marks the only response of a request as its last one when the request asks for it, and only then', () => {
    const parametersOf = (asked: Readonly<Record<string, ParameterValue>>) => {
      const [[, inner], ...others] = fields(streamAnswer(request(asked), [answer])) as [[number, Buffer]];
      expect(others).toEqual([]);
      const response = readInferResponse(inner);
      expect(response.outputs[0]!.data).toHaveLength(300);
      return Object.fromEntries(response.parameters);
    };
    const key = 'triton_enable_empty_final_response';
    expect(parametersOf({ a: { kind: 'bool', value: true }, [key]: { kind: 'bool', value: true } })).toEqual({
      triton_final_response: { kind: 'bool', value: true },
    });
    expect(parametersOf({ [key]: { kind: 'bool', value: false } })).toEqual({});
    expect(parametersOf({})).toEqual({});
  });
});

describe('streamFailure', () => {
  it('M3 has the message, and of the answer the names that were asked for and the id alone', () => {
    const [error, inner, ...others] = fields(streamFailure(request(), 'zu groß'));
    expect([error![0], error![1].toString(), inner![0], others]).toEqual([1, 'zu groß', 2, []]);
    expect(readInferResponse(inner![1])).toEqual({
      modelName: 'm',
      modelVersion: 'champion',
      id: 'größe',
      parameters: new Map(),
      outputs: [],
    });
  });

  it.each([
    ['bytes that are no message', Buffer.from('GET / HTTP/1.1')],
    ['a message that is cut off behind its id', request().subarray(0, -1)],
    ['a name that is not UTF-8', Uint8Array.from([...field(3, 'i'), ...field(1, [0xff])])],
    ['a name of another type', Uint8Array.from([...field(3, 'i'), ...number(1, 7)])],
    ['nothing', new Uint8Array(0)],
  ])('M4 has an empty id for %s', (_what, bytes) => {
    const [[, text], [, inner]] = fields(streamFailure(bytes, 'no')) as [[number, Buffer], [number, Buffer]];
    expect([text.toString(), inner]).toEqual(['no', Buffer.alloc(0)]);
  });

  it('M5 is an error whatever it says, and takes a request with fields that nobody knows', () => {
    expect(fields(streamFailure(new Uint8Array(0), ''))[0]![1].toString()).toBe('the request failed');
    const odd = Uint8Array.from([...number(100, 7), ...field(3, 'a'), ...field(4, [0xff]), ...field(3, 'b')]);
    expect(readInferResponse(fields(streamFailure(odd, 'no'))[1]![1]).id).toBe('b');
  });
});

describe('a failure of a request with long names', () => {
  it('M7 leaves out what has more than 4 KiB, and keeps the rest', () => {
    const names = (message: Uint8Array) => {
      const { modelName, modelVersion, id } = readInferResponse(fields(streamFailure(message, 'no'))[1]![1]);
      return [modelName, modelVersion, id];
    };
    const longest = 'i'.repeat(4_096);
    const asked = (...of: string[]) => Uint8Array.from(of.flatMap((name, index) => field(index + 1, name)));
    expect(names(asked('m', '3', longest))).toEqual(['m', '3', longest]);
    expect(names(asked('m', `${longest}i`, 'i'))).toEqual(['m', '', 'i']);
    // Of two bytes each.
    expect(names(asked('ß'.repeat(2_049), '3', 'i'))).toEqual(['', '3', 'i']);
    expect(streamFailure(asked('m'.repeat(1 << 20), '3', 'i'.repeat(1 << 20)), 'no').byteLength).toBeLessThan(32);
  });
});

describe('inferStreamCodec', () => {
  it('M6 ends a stream at its first error when triton_grpc_error says so', () => {
    const ends = (value: string | undefined) =>
      inferStreamCodec.endsAtFailure((key) => (key === 'triton_grpc_error' ? value : 'true'));
    expect([ends('true'), ends('false'), ends(''), ends(undefined)]).toEqual([true, false, false, false]);
  });
});
