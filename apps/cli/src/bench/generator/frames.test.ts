import { readInferResponse, buildInferResponse } from '@sluice/inference/infer-response';
import { streamAnswer, streamFailure } from '@sluice/inference/infer-stream';
import { describe, expect, it } from 'vitest';
import { FrameReader, idFieldBytes, idOf, RequestFrames } from './frames.ts';
import { readAnswer } from './stream-transport.ts';

const joined = (pieces: readonly Uint8Array[]) => Buffer.concat(pieces);

/** A response has the fields of a request that matter here under the same numbers: it serves as a message to add to. */
const message = (name: string, bytes = 4) =>
  buildInferResponse({
    modelName: name,
    modelVersion: '1',
    id: '',
    outputs: [{ name: 'x', datatype: 'UINT8', shape: [bytes], data: new Uint8Array(bytes) }],
  });

describe('frames of requests', () => {
  it('take the messages in turn, each built once', () => {
    const frames = new RequestFrames([Buffer.from('a'), Buffer.from('bc')]);
    const taken = [1, 2, 3].map(() => frames.take(undefined, undefined));
    expect(taken.map((pieces) => joined(pieces).toString('latin1'))).toEqual([
      '\0\0\0\0\x01a',
      '\0\0\0\0\x02bc',
      '\0\0\0\0\x01a',
    ]);
    expect(taken[0]![0]).toBe(taken[2]![0]);
  });

  it.each([4, 100_000])('are added to without touching a tensor of %d bytes', (bytes) => {
    const frames = new RequestFrames([message('m', bytes)]);
    const framed = joined(frames.take(idOf(12), { id: 300, start: true, end: false }));
    expect(framed.readUInt32BE(1)).toBe(framed.length - 5);
    const read = readInferResponse(framed.subarray(5));
    expect([read.id, read.modelName, read.outputs[0]!.data.length]).toEqual(['000000012', 'm', bytes]);
    expect(Object.fromEntries(read.parameters)).toEqual({
      sequence_id: { kind: 'int64', value: 300n },
      sequence_start: { kind: 'bool', value: true },
      sequence_end: { kind: 'bool', value: false },
    });
    expect(framed.subarray(-idFieldBytes).toString('latin1')).toBe('\x1a\x09000000012');
  });
});

describe('a reader of frames', () => {
  it('finds the messages however the bytes are cut', () => {
    const bytes = joined([
      joined(new RequestFrames([Buffer.from('hello')]).take(undefined, undefined)),
      Buffer.from('\0\0\0\0\0'),
      Buffer.from('\0\0\0\0\x02yo'),
    ]);
    for (let size = 1; size <= bytes.length; size += 1) {
      const reader = new FrameReader(true);
      const found: string[] = [];
      for (let at = 0; at < bytes.length; at += size)
        reader.push(bytes.subarray(at, at + size), (one) => found.push(one.toString()));
      expect([found, reader.count, reader.isWhole]).toEqual([['hello', '', 'yo'], 3, true]);
    }
  });

  it('knows when a message is cut off, and may only count', () => {
    const reader = new FrameReader(false);
    reader.push(Buffer.from('\0\0\0\0\x02y'));
    expect([reader.count, reader.isWhole]).toEqual([0, false]);
    reader.push(Buffer.from('o'));
    expect([reader.count, reader.isWhole]).toEqual([1, true]);
  });
});

describe('an answer on a stream', () => {
  it('is known by its id, and says when it is an error', () => {
    const request = joined(new RequestFrames([message('m')]).take(idOf(7), undefined)).subarray(5);
    const answer = buildInferResponse({ modelName: 'm', modelVersion: '1', id: idOf(7), outputs: [] });
    expect(readAnswer(streamAnswer(request, [answer]))).toEqual({ id: '000000007', error: '' });
    expect(readAnswer(streamFailure(request, 'queue full'))).toEqual({ id: '000000007', error: 'queue full' });
    expect(readAnswer(Buffer.from([0x12, 5])).error).toMatch(/malformed/);
  });
});
