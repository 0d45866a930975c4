import { describe, expect, it } from 'vitest';
import type { Datatype } from '@sluice/domain/datatype';
import type { Signature } from '@sluice/domain/signature';
import { encodeStrings } from '@sluice/inference/bytes-tensor';
import { parseInferRequest, type InferInput, type InferRequest } from '@sluice/inference/infer-request';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import type { BatchPlan } from '../runtime/batch-plan.ts';
import { Buckets } from './buckets.ts';
import { BatchFill } from './fill.ts';
import { InferJob } from './infer-job.ts';
import { wishesOf } from './scheduling.ts';

const rows = 64;
const texts = Array.from({ length: 2 * rows }, (_, index) => 'é'.repeat(index % 5));
const numbers = Array.from({ length: 2 * rows }, (_, index) => index);

const signatureOf = (datatype: Datatype): Signature => {
  const tensor = { name: 'x', datatype, shape: [-1, 2], dimNames: ['', ''], features: [] };
  return { inputs: [tensor], outputs: [{ ...tensor, name: 'y' }], batched: true };
};

const delimited = (field: number, bytes: Uint8Array): Buffer => {
  const head: number[] = [(field << 3) | 2];
  let length = bytes.byteLength;
  for (; length > 127; length >>>= 7) head.push((length & 127) | 128);
  return Buffer.concat([Buffer.from([...head, length]), bytes]);
};

/** The same request with its tensor in `contents`, as generated clients send it. */
function typed(datatype: 'BYTES' | 'INT32'): Buffer {
  const contents =
    datatype === 'BYTES'
      ? Buffer.concat(texts.map((text) => delimited(8, Buffer.from(text))))
      : delimited(2, Buffer.from(numbers));
  const input = [delimited(1, Buffer.from('x')), delimited(2, Buffer.from(datatype))];
  const tensor = Buffer.concat([...input, delimited(3, Buffer.from([rows, 2])), delimited(5, contents)]);
  return Buffer.concat([delimited(1, Buffer.from('m')), delimited(5, tensor)]);
}

function raw(datatype: 'BYTES' | 'INT32'): Buffer {
  const data = datatype === 'BYTES' ? encodeStrings(texts) : encodeTensor('INT32', numbers);
  return buildInferRequest({ modelName: 'm', inputs: [{ name: 'x', datatype, shape: [rows, 2], data }] });
}

/** A parsed request that counts how often anybody reads where its tensor's bytes are. */
function counted(bytes: Buffer, datatype: Datatype) {
  const signature = signatureOf(datatype);
  const request = parseInferRequest(bytes, signature);
  const [input] = request.inputs;
  const reads = { count: 0 };
  const watched = Object.defineProperties({} as InferInput, {
    ...Object.getOwnPropertyDescriptors(input),
    raw: { get: () => ((reads.count += 1), input!.raw) },
    contents: { get: () => ((reads.count += 1), input!.contents) },
  });
  const same: InferRequest = { ...request, inputs: [watched] };
  const { key, plan } = new Buckets(signature, [false]).planFor(request);
  const answer = { waitedMs: 0, respond: () => undefined, fail: () => undefined, released: () => undefined };
  const what = {
    request: same,
    plan,
    bucket: key,
    deadlineMs: Infinity,
    wishes: wishesOf(request.parameters, 0),
    by: { model: 'm', version: '1' },
  };
  return { job: new InferJob(what, answer, () => undefined), plan, reads };
}

/** What a split into parts of `size` rows writes, part after part. */
function fillInParts(job: InferJob, plan: BatchPlan, size: number): Buffer {
  const written: Uint8Array[] = [];
  for (let row = 0; row < rows; row += size) {
    const fill = new BatchFill(plan, [{ request: job, requestRow: row, batchRow: 0, rows: size }], size);
    const target = new Uint8Array(plan.inputs[0]!.datatype === 'BYTES' ? fill.stringBytes[0]! : size * 8);
    fill.write([target]);
    written.push(target);
  }
  return Buffer.concat(written);
}

describe.each(['BYTES', 'INT32'] as const)('a split request of %s', (datatype) => {
  const expected = Buffer.from(datatype === 'BYTES' ? encodeStrings(texts) : encodeTensor('INT32', numbers));

  it.each([
    ['raw', raw(datatype)],
    ['typed', typed(datatype)],
  ])('is decoded once, however many parts it has: %s', (_form, bytes) => {
    const reads = [rows / 2, 8, 1].map((size) => {
      const { job, plan, reads } = counted(bytes, datatype);
      expect(fillInParts(job, plan, size)).toEqual(expected);
      return reads.count;
    });
    expect(reads).toEqual([reads[0], reads[0], reads[0]]);
  });

  it('stands in a batch behind and before rows of others, and before padding', () => {
    const first = counted(raw(datatype), datatype);
    const second = counted(typed(datatype), datatype);
    const parts = [
      { request: first.job, requestRow: 60, batchRow: 0, rows: 4 },
      { request: second.job, requestRow: 0, batchRow: 4, rows },
      { request: first.job, requestRow: 0, batchRow: 4 + rows, rows: 2 },
    ];
    const fill = new BatchFill(first.plan, parts, 9 + rows);
    const cut = (from: number, to: number): Uint8Array =>
      datatype === 'BYTES'
        ? encodeStrings(texts.slice(2 * from, 2 * to))
        : encodeTensor('INT32', numbers.slice(2 * from, 2 * to));
    // Three rows that nobody asked for: the last one again.
    const wanted = Buffer.concat([cut(60, 64), expected, cut(0, 2), cut(1, 2), cut(1, 2), cut(1, 2)]);
    const target = new Uint8Array(wanted.byteLength).fill(0xff);
    fill.write([target]);
    expect(Buffer.from(target)).toEqual(wanted);
    expect(fill.stringBytes).toEqual([datatype === 'BYTES' ? wanted.byteLength : 0]);
  });

  it('is padded by its last row, also before a request without rows', () => {
    const one = counted(raw(datatype), datatype);
    const parts = [
      { request: one.job, requestRow: 0, batchRow: 0, rows },
      { request: one.job, requestRow: 0, batchRow: rows, rows: 0 },
    ];
    const fill = new BatchFill(one.plan, parts, rows + 1);
    const last = datatype === 'BYTES' ? encodeStrings(texts.slice(-2)) : encodeTensor('INT32', numbers.slice(-2));
    const target = new Uint8Array(expected.byteLength + last.byteLength);
    fill.write([target]);
    expect(Buffer.from(target)).toEqual(Buffer.concat([expected, last]));
  });
});
