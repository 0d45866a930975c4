import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers';
import { afterEach, expect, it, vi } from 'vitest';
import { servingDefaults, type Signature } from '@sluice/domain/signature';
import { readInferResponse } from '@sluice/inference/infer-response';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { decodeTensor, encodeTensor } from '@sluice/inference/tensor-data';
import { systemClock } from '@sluice/service-kit/clock';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { SessionPool } from '../src/runtime/session-pool.ts';
import { VersionEngine } from '../src/serving/version-engine.ts';
import { VersionStats } from '../src/serving/version-stats.ts';
import { temporaryFolder } from './support/runtime.ts';

const folder = temporaryFolder();
const width = 256;
const tensorBytes = 4 * width;

interface Move {
  readonly source: ArrayBufferLike;
  readonly target: ArrayBufferLike | undefined;
  readonly bytes: number;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;
const typedArrays = Object.getPrototypeOf(Uint8Array.prototype) as Record<string, Method>;
const buffers = Buffer.prototype as unknown as Record<string, Method>;
const makers = Buffer as unknown as Record<string, Method>;

/** Calls `note` with whose method it is and what it is called with, before every call. */
function watch(holder: Record<string, Method>, name: string, note: (self: unknown, args: unknown[]) => void): void {
  const own = holder[name]!;
  vi.spyOn(holder, name).mockImplementation(function (this: unknown, ...args) {
    note(this, args);
    return Reflect.apply(own, this, args);
  });
}

/** Notes every move of as many bytes as a tensor has, or more, by all that moves the bytes of a typed array at once. */
function watchMoves(): Move[] {
  const seen: Move[] = [];
  const note = (source: unknown, target?: unknown): void => {
    if (!ArrayBuffer.isView(source) || source.byteLength < tensorBytes) return;
    const into = ArrayBuffer.isView(target) ? target.buffer : undefined;
    seen.push({ source: source.buffer, target: into, bytes: source.byteLength });
  };
  watch(typedArrays, 'set', (self, [source]) => note(source, self));
  watch(typedArrays, 'slice', (self) => note(self));
  watch(typedArrays, 'copyWithin', (self) => note(self, self));
  watch(buffers, 'copy', (self, [target]) => note(self, target));
  watch(makers, 'from', (_self, [source]) => note(source));
  watch(makers, 'concat', (_self, [list]) => (list as unknown[]).forEach((source) => note(source)));
  return seen;
}

afterEach(() => void vi.restoreAllMocks());

const tensor = (name: string) => ({
  ...{ name, datatype: 'FP32' as const, shape: [-1, width], dimNames: ['batch', ''], features: [] },
});
const signature: Signature = { inputs: [tensor('x')], outputs: [tensor('y')], batched: true };

async function engineOf() {
  const graphFile = path.join(folder, 'identity.onnx');
  writeFileSync(graphFile, identityModel('FP32', ['batch', width]));
  const pool = await SessionPool.load({ graphFile, intraOpThreads: 1, spinning: false }, 1, () => undefined);
  const engine = new VersionEngine({
    ...{ model: 'm', version: 1, signature, pool, knownOutputs: [true], stats: new VersionStats(8) },
    serving: { ...servingDefaults, maxBatchSize: 8 },
    clock: systemClock,
    defer: (fn) => void setImmediate(fn),
    onDefect: (thrown) => expect.unreachable(String(thrown)),
  });
  return { engine, pool };
}

function ask(engine: VersionEngine, value: number): Promise<Buffer> {
  const data = encodeTensor('FP32', new Array<number>(width).fill(value));
  const request = buildInferRequest({
    ...{ modelName: 'm', inputs: [{ name: 'x', datatype: 'FP32', shape: [1, width], data }] },
  });
  return new Promise((resolve, reject) => {
    engine.infer(request, Infinity, { waitedMs: 0, respond: resolve, fail: reject, released: () => undefined });
  });
}

it('copies a tensor once on its way in, into shared memory, and once on its way out of it', async () => {
  const { engine, pool } = await engineOf();
  const requests = Array.from({ length: 40 }, (_, index) => index);
  await Promise.all(requests.map((value) => ask(engine, value)));
  const messages = requests.map((value) => value + 0.5);
  const pending: Promise<Buffer>[] = [];
  const moved = watchMoves();
  // Some come in one turn, some later: into batches that run, that wait, and that form.
  for (const [index, value] of messages.entries()) {
    const before = moved.length;
    pending.push(ask(engine, value));
    // What the test itself did to make the message.
    moved.splice(before);
    if (index % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const answers = await Promise.all(pending);
  const tensors = moved.filter(({ bytes }) => bytes === tensorBytes);
  vi.restoreAllMocks();
  const isShared = (buffer: ArrayBufferLike | undefined): boolean => buffer instanceof SharedArrayBuffer;
  const ways = tensors.map(
    ({ source, target }) => `${isShared(source) ? 'shared' : 'own'} to ${isShared(target) ? 'shared' : 'own'}`,
  );
  const count = (way: string): number => ways.filter((each) => each === way).length;
  expect([count('own to shared'), count('shared to own'), ways.length]).toEqual([40, 40, 80]);
  // Nothing was moved many rows at a time either.
  expect(moved.filter(({ bytes }) => bytes > tensorBytes + 200)).toEqual([]);
  for (const [index, answer] of answers.entries())
    expect(decodeTensor('FP32', readInferResponse(answer).outputs[0]!.data)[0]).toBe(messages[index]);
  await pool.close();
});
