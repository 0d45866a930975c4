import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { servingDefaults } from '@sluice/domain/signature';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { eventually } from '@sluice/testkit/eventually';
import type { Assignment } from '../src/versions/assignment.ts';
import { SnapshotFile } from '../src/versions/snapshot.ts';
import { adder, ask } from './support/adder.ts';
import { spec, startRuntime, temporaryFolder, type TestRuntime } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

const assignment: Assignment = {
  model: 'm',
  version: 3,
  digest: 'd'.repeat(64),
  files: [{ path: 'm.onnx', sha256: 'a'.repeat(64), size: 7 }],
  graphPath: 'm.onnx',
  signature: {
    inputs: [
      {
        ...spec('x', 'FP32', [-1, 2]),
        format: 'NHWC',
        features: [
          { name: 'a', nullable: true },
          { name: 'b', nullable: false, min: 0.5 },
        ],
      },
    ],
    outputs: [spec('y', 'BYTES', [-1]), { ...spec('z', 'FP32', [-1, 2]), classNames: ['cat', 'dog'] }],
    batched: true,
  },
  serving: {
    ...servingDefaults,
    maxBatchSize: 8,
    preferredBatchSize: [4],
    allowedBatchSizes: [2, 8],
    preserveOrdering: true,
    priorityLevels: 2,
    defaultPriorityLevel: 1,
    timeoutAction: 'delay',
    allowTimeoutOverride: true,
    priorityQueuePolicies: [
      {
        level: 2,
        timeoutAction: 'reject',
        defaultTimeoutMicroseconds: 5,
        allowTimeoutOverride: false,
        maxQueueSize: 7,
      },
    ],
    instanceGroups: [{ count: 2, device: 'cpu' }],
    warmupRequests: [
      {
        name: 'w',
        batchSize: 2,
        count: 3,
        inputs: [
          { name: 'x', source: 'data', shape: [1, 2], base64: 'AAAAAAAAAAA=' },
          { name: 'z', source: 'zero', shape: [2], base64: '' },
        ],
      },
    ],
    sequenceBatching: {
      ...{ maxSequenceIdleMicroseconds: 5_000_000, maxQueueDelayMicroseconds: 10, minimumSlotUtilization: 0.5 },
      controlInputs: [{ name: 'START', kind: 'start', datatype: 'FP32', dims: [1], falseValue: 0, trueValue: 1 }],
      states: [{ inputName: 'S', outputName: 'T', datatype: 'INT32', dims: [1], initialBase64: 'AQAAAA==' }],
    },
  },
  aliases: ['champion'],
  champion: true,
  memoryBytes: 5,
  pinnedOnly: false,
};

/** A snapshot file of these lines' meaning, with the right digest: written by software that has a defect. */
function signed(body: string, format = 4): string {
  const sha256 = createHash('sha256').update(body).digest('hex');
  return `${JSON.stringify({ format, sha256 })}\n${body}`;
}

describe('SnapshotFile', () => {
  it('reads what it wrote, and nothing where nothing was written', async () => {
    const file = new SnapshotFile(temporaryFolder());
    expect(await file.read()).toBeUndefined();
    const placement = { revision: 12, assignments: [assignment] };
    await file.write(placement);
    expect(await file.read()).toEqual(placement);
  });

  it.each([2, 3])(
    'reads format %i, of fewer settings, with their defaults, and wants all sent again',
    async (earlier) => {
      const folder = temporaryFolder();
      const { maxBatchSize, preferredBatchSize, maxQueueDelayMicroseconds, maxQueueSize } = assignment.serving;
      const { defaultTimeoutMicroseconds, instanceCount, intraOpThreads, device, warmupCount } = assignment.serving;
      const old = {
        ...{ maxBatchSize, preferredBatchSize, maxQueueDelayMicroseconds, maxQueueSize, defaultTimeoutMicroseconds },
        ...{ instanceCount, intraOpThreads, device, warmupCount, batchingOffReason: '' },
      };
      const body = JSON.stringify({ revision: 3, assignments: [{ ...assignment, serving: old }] });
      writeFileSync(path.join(folder, 'placement.json'), signed(body, earlier));
      const read = await new SnapshotFile(folder).read();
      expect(read!.revision).toBe(0);
      expect(read!.assignments[0]!.serving).toEqual({ ...servingDefaults, maxBatchSize: 8, preferredBatchSize: [4] });
    },
  );

  it('wants all sent again where something was not known to who wrote it', async () => {
    const file = new SnapshotFile(temporaryFolder());
    const odd = { ...assignment, version: 4, notKnown: 'a word of later software' };
    await file.write({ revision: 12, assignments: [assignment, odd] });
    expect(await file.read()).toEqual({ revision: 0, assignments: [assignment, odd] });
  });

  it('wants all sent again where this runtime offered something else, or nobody wrote down what', async () => {
    const folder = temporaryFolder();
    await new SnapshotFile(folder, 'default: cpu').write({ revision: 12, assignments: [assignment] });
    const revisions = [];
    for (const placedBy of ['default: cpu', 'default: cpu, cuda:0']) {
      const read = await new SnapshotFile(folder, placedBy).read();
      expect(read!.assignments).toEqual([assignment]);
      revisions.push(read!.revision);
    }
    writeFileSync(path.join(folder, 'placement.json'), signed('{"revision":3,"assignments":[]}'));
    const before = await new SnapshotFile(folder, 'default: cpu').read();
    expect([...revisions, before!.revision]).toEqual([12, 0, 0]);
  });

  it('refuses a file of which any one byte is another', async () => {
    const folder = temporaryFolder();
    const file = new SnapshotFile(folder);
    await file.write({ revision: 12, assignments: [assignment] });
    const name = path.join(folder, 'placement.json');
    const good = readFileSync(name);
    for (let at = 0; at < good.length; at += 1) {
      const bytes = Buffer.from(good);
      bytes[at]! ^= 1;
      writeFileSync(name, bytes);
      await expect(file.read(), `byte ${at}`).rejects.toMatchObject({ kind: 'data-loss' });
    }
    writeFileSync(name, good.subarray(0, good.length / 2));
    await expect(file.read()).rejects.toMatchObject({ kind: 'data-loss' });
  });

  it.each([
    ['an empty file', ''],
    ['a placement without digest', '{"format":1,"revision":3,"assignments":[]}'],
    ['what later software wrote', signed('{"revision":3,"assignments":[]}', 5)],
    ['null', 'null\nnull'],
    ['no list', signed('{"revision":3}')],
    ['a list of null', signed('{"revision":3,"assignments":[null]}')],
    ['a version without files', signed('{"revision":3,"assignments":[{"model":"m","version":1}]}')],
    [
      'a datatype that is none',
      signed(JSON.stringify({ revision: 3, assignments: [assignment] }).replace('"FP32"', '"FP31"')),
    ],
  ])('refuses %s', async (_what, text) => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'placement.json'), text);
    const wrong = new SnapshotFile(folder).read();
    await expect(wrong).rejects.toMatchObject({
      kind: 'data-loss',
      message: expect.stringContaining('delete it, the registry sends a new one') as string,
    });
  });
});

let runtime: TestRuntime | undefined;
let registry: TestRegistry | undefined;
afterEach(async () => {
  await runtime?.stop();
  await registry?.stop();
});

describe('a runtime whose snapshot is of software that knew fewer settings', () => {
  it('runs versions as the registry says as soon as it hears of it', async () => {
    const stateDir = temporaryFolder();
    const levels = { maxBatchSize: 8, device: 'cpu', warmupCount: 0, priorityLevels: 2, defaultPriorityLevel: 1 };
    registry = await new TestRegistry().start();
    registry.place({ ...adder(1, ['champion']), serving: levels });
    const first = await (await startRuntime({ registry: registry.address, stateDir })).ready();
    await first.stop();
    const file = path.join(stateDir, 'placement.json');
    const [, body] = readFileSync(file, 'utf8').split('\n');
    const without = body!.replace('"priorityLevels":2,"defaultPriorityLevel":1,', '');
    expect(without).not.toBe(body);
    writeFileSync(file, signed(without, 2));
    const { port } = registry;
    await registry.stop();
    runtime = await (await startRuntime({ registry: `127.0.0.1:${port}`, stateDir })).ready();
    const request = buildInferRequest({
      modelName: 'adder',
      inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: encodeTensor('FP32', [0, 1, 2]) }],
      parameters: new Map([['priority', { kind: 'uint64', value: 3n }]]),
    });
    expect((await runtime.send(request)).error).toBeUndefined();
    await registry.start();
    await eventually(async () =>
      expect((await runtime!.send(request)).error).toMatchObject({ kind: 'invalid-argument' }),
    );
    expect((await runtime.infer(ask())).modelVersion).toBe('1');
    expect(registry.resumeTokens.at(-1)).toBe(0);
  });
});

describe('a runtime whose snapshot is damaged', () => {
  it.each(['{"format":1,"revision":3,"assignments":[null]}', signed('{"revision":3,"assignments":[null]}')])(
    'starts all the same and gets all from the registry: %s',
    async (text) => {
      const stateDir = temporaryFolder();
      writeFileSync(path.join(stateDir, 'placement.json'), text);
      registry = await new TestRegistry().start();
      registry.place(adder(1, ['champion']));
      runtime = await (await startRuntime({ registry: registry.address, stateDir })).ready();
      expect((await runtime.infer(ask())).modelVersion).toBe('1');
      expect(registry.resumeTokens[0]).toBe(0);
      expect(runtime.log.some((line) => String(line['msg']).includes('last placement cannot be used'))).toBe(true);
    },
  );
});
