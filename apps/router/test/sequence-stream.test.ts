import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inferenceService } from '@sluice/contracts/services';
import type { ModelStreamInferResponse__Output } from '@sluice/contracts/gen/inference/ModelStreamInferResponse';
import { eventually } from '@sluice/testkit/eventually';
import { openGrpcStream } from '@sluice/testkit/grpc-stream';
import { describe, expect, it } from 'vitest';
import { wireModel, wireRoutes } from './routes.ts';
import { inferBytes, onEnd, temporaryFolder, testRegistry, testRouter, testRuntime, whenUp } from './world.ts';

const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3], sequences: true });
const loaded = [['digits', 3, true]] as const;
const method = inferenceService.definition['ModelStreamInfer']!;

async function setUp(count: number) {
  const ids = Array.from({ length: count }, (_, index) => `r${index}`);
  const runtimes = await Promise.all(ids.map((id) => testRuntime({ id, loaded })));
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: runtimes.map(({ address }) => address) }));
  const router = await testRouter({ SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: await temporaryFolder() });
  await whenUp(router, count);
  const address = `127.0.0.1:${router.ports['port']!}`;
  return { runtimes, address };
}

function open(address: string) {
  const stream = openGrpcStream(address, method.path);
  onEnd(() => stream.close());
  return {
    ...stream,
    read: () =>
      stream.messages.map((message) => {
        const { errorMessage, inferResponse } = method.responseDeserialize(message) as ModelStreamInferResponse__Output;
        return `${inferResponse!.id} ${errorMessage.slice(0, 14) || inferResponse!.rawOutputContents[0]!.readFloatLE(0)}`;
      }),
  };
}

/** A request of sequence 7. */
function part(id: string, options: { start?: boolean; rows?: number; hold?: boolean; version?: string } = {}): Buffer {
  const { start = false, rows = 1, hold = false, version = '' } = options;
  const values = Array.from({ length: 2 * rows }, (_, index) => (index < 2 ? 1 : 0));
  const parameters = {
    sequence_id: { kind: 'uint64', value: 7n },
    sequence_start: { kind: 'bool', value: start },
    ...(hold && { test_wait: { kind: 'bool', value: true } as const }),
  } as const;
  return inferBytes({ id, version, values, parameters });
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));

describe('a sequence on a stream', () => {
  it('arrives in its order when all of it comes at once, its start unanswered', async () => {
    const { runtimes, address } = await setUp(3);
    const stream = open(address);
    stream.send(...numbers(100).map((id) => part(id, { start: id === '1', hold: id === '1' })));
    const arrived = () => runtimes.map(({ sequences }) => sequences.arrived).filter((ids) => ids.length > 0);
    await eventually(() => expect(arrived()).toEqual([numbers(100)]));
    // The first holds back the answers of all.
    expect(stream.messages).toEqual([]);
    for (const runtime of runtimes) runtime.releaseAll();
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    expect(stream.read()).toEqual(numbers(100).map((id) => `${id} ${id}`));
  });

  it('has failures in their place that the router finds by itself', async () => {
    const { runtimes, address } = await setUp(1);
    const stream = open(address);
    stream.send(part('1', { start: true, hold: true }), part('2', { version: 'no such' }), part('3'));
    await eventually(() => expect(runtimes[0]!.sequences.arrived).toEqual(['1', '3']));
    expect(stream.messages).toEqual([]);
    runtimes[0]!.releaseAll();
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    expect(stream.read()).toEqual(['1 1', '2 model_version:', '3 2']);
  });

  it('arrives in its order after a search, and fails in its order when nothing is found', async () => {
    const { runtimes, address } = await setUp(2);
    const gate = Promise.withResolvers<undefined>();
    for (const { sequences } of runtimes) sequences.beforeLocate = () => gate.promise;
    const stream = open(address);
    stream.send(...['a', 'b'].map((id) => part(id)), ...numbers(20).map((id) => part(id, { start: id === '1' })));
    await eventually(() => expect(runtimes.flatMap(({ sequences }) => sequences.asked)).toHaveLength(1));
    expect(runtimes.flatMap(({ sequences }) => sequences.arrived)).toEqual([]);
    gate.resolve(undefined);
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    expect(runtimes.flatMap(({ sequences }) => sequences.arrived)).toEqual(numbers(20));
    expect(runtimes.flatMap(({ sequences }) => sequences.asked)).toHaveLength(2);
    expect(stream.read()).toEqual([
      ...['a sequence lost:', 'b sequence lost:'].map((text) => text.slice(0, 16)),
      ...numbers(20).map((id) => `${id} ${id}`),
    ]);
  });

  it('keeps its order where large messages, which go in parts, are between small ones', async () => {
    const { runtimes, address } = await setUp(1);
    const stream = open(address);
    stream.send(...numbers(20).map((id) => part(id, { start: id === '1', rows: Number(id) % 4 === 2 ? 50_000 : 1 })));
    stream.halfClose();
    expect((await stream.end).code).toBe(0);
    expect(runtimes[0]!.sequences.arrived).toEqual(numbers(20));
    expect(stream.read()).toEqual(numbers(20).map((id) => `${id} ${id}`));
  });

  it('is read by a client on grpc-js: each in its order, failures in their place with their ids', async () => {
    const { address } = await setUp(3);
    const program = join(import.meta.dirname, 'sequence-client.mjs');
    const protos = join(import.meta.dirname, '../../../protos');
    const { stdout } = await promisify(execFile)(process.execPath, [program, address, protos]);
    const answers = JSON.parse(stdout) as { error: string; id: string; prediction: string; values: number[] }[];
    expect(answers).toHaveLength(60);
    expect(new Set(answers.map(({ prediction }) => prediction)).size).toBe(58);
    for (const sequence of ['7', '8', 'seven']) {
      const own = answers.filter(({ id }) => id.startsWith(`${sequence}/`));
      expect(own.map(({ id }) => id)).toEqual(numbers(20).map((step) => `${sequence}/${step}`));
      let sum = 0;
      for (const [index, { error, values, prediction }] of own.entries()) {
        const step = index + 1;
        if (step === 5) {
          expect([error, values, prediction]).toEqual([expect.stringContaining('shape'), [], '']);
          continue;
        }
        sum += step;
        expect([error, values]).toEqual(['', [sum, -sum]]);
      }
    }
  });
});
