import { describe, expect, it } from 'vitest';
import { field, input, messageOf, number } from '../test/fixtures.ts';
import { buildInferRequest } from './request-builder.ts';
import { modelOverride, responseParameter } from './rewrite.ts';
import { buildInferResponse, readInferResponse } from './infer-response.ts';
import { scanInferRequest } from './scan.ts';

const parameter = (key: string, value: readonly number[]) => field(4, [...field(1, key), ...field(2, value)]);
const scan = (...bytes: number[]) => scanInferRequest(Uint8Array.from(bytes));

describe('scanInferRequest', () => {
  it('S1 reads the header in any order and steps over tensors', () => {
    const header = scan(
      ...field(7, [1, 2, 3, 4]),
      ...input('x', 'FP32', [1]),
      ...field(3, 'call-7'),
      ...field(2, 'champion'),
      ...field(6, field(1, 'y')),
      ...field(1, 'digits'),
    );
    expect(header).toEqual({ modelName: 'digits', modelVersion: 'champion', id: 'call-7', parameters: new Map() });
  });

  it('S2 lets the last of repeated scalars win, and the last entry of a parameter', () => {
    const header = scan(
      ...field(1, 'a'),
      ...parameter('k', number(1, 1)),
      ...field(1, 'b'),
      ...parameter('k', number(2, -5)),
      ...field(2, '1'),
      ...field(2, ''),
    );
    expect(header.modelName).toBe('b');
    expect(header.modelVersion).toBe('');
    expect(header.parameters).toEqual(new Map([['k', { kind: 'int64', value: -5n }]]));
  });

  it('S3 reads parameters of every type', () => {
    const double = [...varintTag(4, 1), ...new Uint8Array(Float64Array.of(1.5).buffer)];
    const header = scan(
      ...parameter('b', number(1, 1)),
      ...parameter('i', number(2, -1)),
      ...parameter('s', field(3, 'é')),
      ...parameter('d', double),
      ...parameter('u', number(5, 2n ** 64n - 1n)),
      ...parameter('none', []),
    );
    expect(Object.fromEntries(header.parameters)).toEqual({
      b: { kind: 'bool', value: true },
      i: { kind: 'int64', value: -1n },
      s: { kind: 'string', value: 'é' },
      d: { kind: 'double', value: 1.5 },
      u: { kind: 'uint64', value: 2n ** 64n - 1n },
      none: { kind: 'none' },
    });
  });

  it('S4 skips unknown fields', () => {
    expect(scan(...number(100, 7), ...field(1, 'm'), ...field(200, 'zzz')).modelName).toBe('m');
  });

  it('S5 names the field and the byte of what is malformed', () => {
    expect(messageOf(() => scan(...field(1, 'digits'), 0x2a, 0x09, 1))).toBe(
      'invalid-argument: ModelInferRequest is malformed: inputs at byte 9: length 9 runs past the end, 1 bytes are left',
    );
    expect(messageOf(() => scan(...number(1, 3)))).toBe(
      'invalid-argument: ModelInferRequest is malformed: model_name at byte 1: expected wire type 2 (length-delimited), got 0 (varint)',
    );
    expect(messageOf(() => scan(...field(1, [0xff])))).toContain('model_name at byte 2: the text is not valid UTF-8');
  });

  it('S6 refuses reserved and unknown triton_ parameters and known ones of the wrong type', () => {
    expect(messageOf(() => scan(...parameter('sluice_arm', field(3, 'a'))))).toContain(
      '"sluice_arm": names that start',
    );
    expect(messageOf(() => scan(...parameter('triton_x', number(1, 1))))).toContain('"triton_x" is not one');
    expect(messageOf(() => scan(...parameter('priority', field(3, 'high'))))).toBe(
      'invalid-argument: parameter "priority": expected int64 or uint64, got string',
    );
    expect(messageOf(() => scan(...parameter('timeout', number(2, -1))))).toContain('expected 0 or more, got -1');
    expect(scan(...parameter('triton_enable_empty_final_response', number(1, 0))).parameters.size).toBe(1);
    expect(scan(...parameter('sequence_id', field(3, 's'))).parameters.size).toBe(1);
    expect(scan(...parameter('toString', field(3, 's'))).parameters.size).toBe(1);
  });

  it('S7 bounds the number of parameters', () => {
    const many = Array.from({ length: 1025 }, (_, index) => parameter(`k${index}`, [])).flat();
    expect(messageOf(() => scan(...many))).toBe('invalid-argument: parameters: more than 1024 entries');
  });
});

describe('appending', () => {
  const request = buildInferRequest({
    modelName: 'digits',
    modelVersion: 'champion',
    inputs: [{ name: 'x', datatype: 'UINT8', shape: [2], data: Uint8Array.of(1, 2) }],
  });

  it('S8 rewrites name and version of a request without touching its bytes', () => {
    const routed = Buffer.concat([request, modelOverride({ modelVersion: '3' })]);
    expect(routed.subarray(0, request.length).equals(request)).toBe(true);
    expect(scanInferRequest(routed)).toMatchObject({ modelName: 'digits', modelVersion: '3' });
    expect(scanInferRequest(Buffer.concat([request, modelOverride({ modelName: 'é' })]))).toMatchObject({
      modelName: 'é',
    });
  });

  it('S9 adds parameters to an answer without touching its bytes', () => {
    const answer = buildInferResponse({ modelName: 'm', modelVersion: '3', id: 'i', outputs: [] });
    const stamped = Buffer.concat([
      answer,
      responseParameter('prediction_id', { kind: 'string', value: 'p' }),
      responseParameter('sluice_arm', { kind: 'string', value: 'primary' }),
    ]);
    expect(stamped.subarray(0, answer.length).equals(answer)).toBe(true);
    expect(readInferResponse(stamped).parameters).toEqual(
      new Map([
        ['prediction_id', { kind: 'string', value: 'p' }],
        ['sluice_arm', { kind: 'string', value: 'primary' }],
      ]),
    );
  });
});

function varintTag(number: number, type: number): number[] {
  return [(number << 3) | type];
}
