import { readInferResponse, buildInferResponse } from '@sluice/inference/infer-response';
import { streamAnswer, streamFailure } from '@sluice/inference/infer-stream';
import { describe, expect, it } from 'vitest';
import { idFieldBytes, idOf, RequestBytes, type Taken } from './request-bytes.ts';
import { readAnswer } from './stream-transport.ts';

const joined = ({ message: bytes, suffix }: Taken) => Buffer.concat([bytes, suffix ?? Buffer.alloc(0)]);

/** A response has the fields of a request that matter here under the same numbers: it serves as a message to add to. */
const message = (name: string, bytes = 4) =>
  buildInferResponse({
    modelName: name,
    modelVersion: '1',
    id: '',
    outputs: [{ name: 'x', datatype: 'UINT8', shape: [bytes], data: new Uint8Array(bytes) }],
  });

describe('the bytes of requests', () => {
  it('are taken in turn, and nothing is copied', () => {
    const messages = [Buffer.from('a'), Buffer.from('bc')];
    const requests = new RequestBytes(messages);
    const taken = [1, 2, 3].map(() => requests.take(undefined, undefined));
    expect(taken.map(({ message: bytes }) => messages.findIndex((one) => one === bytes))).toEqual([0, 1, 0]);
    expect(taken.map(({ suffix }) => suffix)).toEqual([undefined, undefined, undefined]);
  });

  it.each([4, 100_000])('are added to without touching a tensor of %d bytes', (bytes) => {
    const built = message('m', bytes);
    const taken = new RequestBytes([built]).take(idOf(12), { id: 300, start: true, end: false });
    expect(taken.message).toBe(built);
    const read = readInferResponse(joined(taken));
    expect([read.id, read.modelName, read.outputs[0]!.data.length]).toEqual(['000000012', 'm', bytes]);
    expect(Object.fromEntries(read.parameters)).toEqual({
      sequence_id: { kind: 'int64', value: 300n },
      sequence_start: { kind: 'bool', value: true },
      sequence_end: { kind: 'bool', value: false },
    });
    expect(joined(taken).subarray(-idFieldBytes).toString('latin1')).toBe('\x1a\x09000000012');
  });
});

describe('an answer on a stream', () => {
  it('is known by its id, and says when it is an error', () => {
    const request = joined(new RequestBytes([message('m')]).take(idOf(7), undefined));
    const answer = buildInferResponse({ modelName: 'm', modelVersion: '1', id: idOf(7), outputs: [] });
    expect(readAnswer(streamAnswer(request, [answer]))).toEqual({ id: '000000007', error: '' });
    expect(readAnswer(streamFailure(request, 'queue full'))).toEqual({ id: '000000007', error: 'queue full' });
    expect(readAnswer(Buffer.from([0x12, 5])).error).toMatch(/malformed/);
  });
});
