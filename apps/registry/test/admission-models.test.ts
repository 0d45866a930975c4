import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  attribute,
  externalTensor,
  graph,
  identityModel,
  model,
  node,
  type OnnxType,
  rawData,
  tensor,
  value,
} from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { bench, examples, filesOf } from './admission-fixture.ts';
import { gather, text } from './artifact-store-contract.ts';

const x = value('x', 'FP32', ['batch', 3]);
const y = value('y', 'FP32', ['batch', 3]);
const withNodes = (...nodes: Uint8Array[]) => model({ graph: graph({ nodes, inputs: [x], outputs: [y] }) });

describe('admission of the example models', () => {
  it.each(['digits/linear', 'digits/mlp', 'digits/cnn', 'wdbc/logistic', 'wdbc/forest'])('passes %s', async (name) => {
    const { admit } = await bench();
    const lines: string[] = [];
    const outcome = await admit(await filesOf(join(examples, name)), { onProgress: (line) => lines.push(line) });
    expect(outcome).toMatchObject({
      passed: true,
      rejection: '',
      serving: { maxBatchSize: 64, batchingOffReason: '' },
    });
    const { report } = outcome;
    expect(report.checks.map((check) => check.name)).toEqual([
      'parse',
      'load',
      'warm-up',
      'latency',
      'batch-independence',
      'batch-latency',
      'golden:first row of the holdout set',
    ]);
    expect(report.latencyMs).toBeGreaterThan(0);
    expect(report.batchLatencyMs).toBeGreaterThan(0);
    expect(report.batchRows).toBe(64);
    expect(report.peakRssBytes).toBeGreaterThan(20 * 1024 ** 2);
    expect(report.durationMs).toBeGreaterThan(0);
    expect(lines).toHaveLength(report.checks.length);
    expect(lines[1]).toMatch(/^load: ok, \d+ ms$/);
  });

  it('reads their signatures', async () => {
    const { inspect } = await bench();
    const version = await inspect(await filesOf(join(examples, 'wdbc/forest')));
    expect(version.signature).toMatchObject({
      batched: true,
      inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 30], dimNames: ['batch', ''] }],
      outputs: [
        { name: 'label', datatype: 'BYTES', shape: [-1] },
        { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
      ],
    });
    expect(version.signature.inputs[0]!.features[0]).toMatchObject({ name: 'mean_radius', min: 0, max: 43 });
    expect(version.digest).toMatch(/^[0-9a-f]{64}$/);
    expect(version.graph.operators.map((one) => `${one.domain}:${one.type}`)).toContain(
      'ai.onnx.ml:TreeEnsembleClassifier',
    );
  });

  it('takes feature names from the graph where sluice.yaml is not there', async () => {
    const { inspect } = await bench();
    const { 'logistic.onnx': onnx } = await filesOf(join(examples, 'wdbc/logistic'));
    const version = await inspect({ 'any.onnx': onnx! });
    expect(version.signature.inputs[0]!.features).toHaveLength(30);
    expect(version.derived.join('\n')).toContain("30 names from the graph's metadata");
  });

  it('rejects one whose golden case comes out wrong, naming the element', async () => {
    const { admit } = await bench();
    const files = await filesOf(join(examples, 'digits/linear'));
    const wrong = Buffer.from(files['sluice.yaml']!).toString().replace('0.198847', '0.3');
    const outcome = await admit({ ...files, 'sluice.yaml': wrong });
    expect(outcome.passed).toBe(false);
    expect(outcome.rejection).toMatch(
      /^golden:first row of the holdout set: output "probabilities" at \[0, 1\]: expected 0\.3, got 0\.19884\d+ \(rtol 0\.0001, atol 0\.0001\)$/,
    );
    expect(outcome.report.passed).toBe(false);
  });
});

describe('admission of every datatype', () => {
  const types: OnnxType[] = [
    'BOOL',
    'UINT8',
    'UINT16',
    'UINT32',
    'UINT64',
    'INT8',
    'INT16',
    'INT32',
    'INT64',
    'FP16',
    'FP32',
    'FP64',
    'BYTES',
  ];

  it.each(types)('passes %s', async (type) => {
    const { admit } = await bench();
    const golden: Partial<Record<OnnxType, string>> = { BOOL: '[[true, false, true]]', BYTES: '[["a", "", "ü"]]' };
    const literal = golden[type] ?? '[[1, 2, 3]]';
    const yaml = `golden: [{name: a, inputs: {x: ${literal}}, outputs: {y: ${literal}}, atol: 0, rtol: 0}]`;
    const outcome = await admit({ 'model.onnx': identityModel(type), 'sluice.yaml': yaml });
    expect(outcome.rejection).toBe('');
    expect(outcome.report.checks.at(-1)).toMatchObject({ name: 'golden:a', passed: true });
    expect(outcome.serving.batchingOffReason).toBe('');
  });

  it('passes scalars, fixed shapes, zero-sized and open dimensions without batching', async () => {
    const { admit } = await bench();
    for (const shape of [[], [2], [0, 3], ['rows', 'columns']]) {
      const outcome = await admit({ 'model.onnx': identityModel('FP32', shape) });
      expect(outcome.rejection, JSON.stringify(shape)).toBe('');
      expect(outcome.serving.maxBatchSize).toBe(shape[0] === 'rows' ? 64 : 0);
    }
  });

  it('passes a graph without inputs', async () => {
    const { admit } = await bench();
    const constant = graph({
      nodes: [node('Constant', [], ['y'], [attribute.tensor('value', tensor('', 'FP32', [2], [1, 2]))])],
      inputs: [],
      outputs: [value('y', 'FP32', [2])],
    });
    expect((await admit({ 'model.onnx': model({ graph: constant }) })).rejection).toBe('');
  });
});

describe('rows that are not independent', () => {
  it('turn batching off with a reason, and do not reject', async () => {
    const { admit } = await bench();
    const mean = withNodes(
      node('ReduceMean', ['x'], ['m'], [attribute.ints('axes', [0]), attribute.int('keepdims', 1)]),
      node('Sub', ['x', 'm'], ['y']),
    );
    const outcome = await admit({ 'model.onnx': mean });
    expect(outcome.passed).toBe(true);
    expect(outcome.serving).toMatchObject({ maxBatchSize: 0 });
    expect(outcome.serving.batchingOffReason).toMatch(
      /^rows influence each other: output "y" at \[0, \d\]: alone 0, beside another row -?\d/,
    );
    expect(outcome.report.derived.at(-1)).toMatch(/^batching off: rows influence each other/);
    expect(outcome.report.batchRows).toBe(0);
  });

  it('turn it off where two rows do not run, or give another number of rows', async () => {
    const { admit } = await bench();
    const only = (shape: bigint[]) =>
      model({
        graph: graph({
          nodes: [node('Reshape', ['x', 's'], ['y'])],
          inputs: [x],
          outputs: [value('y', 'FP32', ['batch', null])],
          initializers: [tensor('s', 'INT64', [shape.length], shape)],
        }),
      });
    const single = await admit({ 'model.onnx': only([1n, 3n]) });
    expect(single.passed).toBe(true);
    expect(single.serving.batchingOffReason).toMatch(/^two rows cannot be run: .*[Rr]eshape/);
    const flat = await admit({ 'model.onnx': only([1n, -1n]) });
    expect(flat.serving.batchingOffReason).toBe('output "y" has 1 rows for two');
  });

  it('cannot be told without rows that run, so batching stays off', async () => {
    const { admit } = await bench();
    const table = model({
      graph: graph({
        nodes: [node('Gather', ['table', 'i'], ['y'])],
        inputs: [value('i', 'INT64', ['batch', 2])],
        outputs: [value('y', 'FP32', ['batch', 2])],
        initializers: [tensor('table', 'FP32', [1], [7])],
      }),
    });
    const off = await admit({ 'model.onnx': table });
    expect(off.passed).toBe(true);
    expect(off.serving.batchingOffReason).toMatch(/no random rows run/);
    const ranged = await admit({
      'model.onnx': table,
      'sluice.yaml': 'signature: {inputs: [{name: i, range: [0, 0]}]}',
    });
    expect(ranged.serving).toMatchObject({ maxBatchSize: 64, batchingOffReason: '' });
  });
});

describe('bad files', () => {
  it('are refused before anything runs', async () => {
    const { inspect, admission, store } = await bench();
    const refused = (files: Record<string, Uint8Array | string>, message: RegExp) =>
      expect(inspect(files)).rejects.toMatchObject({ kind: 'invalid-argument', message: text.stringMatching(message) });
    const good = identityModel('FP32');
    await refused({ 'model.onnx': good.subarray(0, 40) }, /^ONNX graph: graph at byte \d+: .*truncated or corrupt/);
    await refused({ 'model.onnx': 'not a model' }, /^ONNX graph: /);
    await refused({ 'model.onnx': '' }, /the file is empty/);
    await refused({ 'readme.md': 'hello' }, /no \*\.onnx file/);
    await refused({ 'a.onnx': good, 'b.onnx': good }, /2 \*\.onnx files \("a.onnx", "b.onnx"\)/);
    await refused({ 'a.onnx': good, 'sluice.yml': 'x' }, /"sluice.yml" is not read; name it sluice.yaml/);
    await refused({ 'a.onnx': good, 'sluice.yaml': 'owner: [1' }, /^sluice.yaml has 1 problem:\nsluice.yaml:1:/);
    await refused({ 'a.onnx': good, 'sluice.yaml': 'graph: b.onnx' }, /sluice.yaml: graph: "b.onnx" is not among/);
    await refused({ '../a.onnx': good }, /files\[0\]\.path: "\.\.\/a\.onnx" has the part/);
    const absent = { path: 'a.onnx', sha256: 'a'.repeat(64), size: 1 };
    await expect(admission.inspect({ files: [absent], graphPath: '' })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: text.stringContaining('not uploaded yet: "a.onnx"'),
    });
    const [stat] = await gather(store.list());
    await expect(
      admission.inspect({ files: [{ path: 'a.onnx', sha256: stat!.sha256, size: stat!.size + 1 }], graphPath: '' }),
    ).rejects.toThrow(/files\[0\]\.size: \d+ given .* has \d+ bytes/);
  });

  it('chooses the graph that the caller, or sluice.yaml, names', async () => {
    const { inspect } = await bench();
    const files = { 'a.onnx': identityModel('FP32'), 'sub/b.onnx': identityModel('INT8') };
    expect((await inspect({ ...files, 'sluice.yaml': 'graph: sub/b.onnx' })).signature.inputs[0]!.datatype).toBe(
      'INT8',
    );
  });

  it('whose external data is outside are refused; inside, they run', async () => {
    const { inspect, admit } = await bench();
    const external = (location: string, length = 12) =>
      model({
        graph: graph({
          nodes: [node('Add', ['x', 'w'], ['y'])],
          inputs: [x],
          outputs: [y],
          initializers: [externalTensor('w', 'FP32', [3], { location, offset: 0, length })],
        }),
      });
    const weights = rawData('FP32', [1, 2, 3]);
    for (const location of ['/etc/passwd', '../secret', 'sub/../../secret', '*/_ORT_MEM_ADDR_/*', 'absent.bin']) {
      await expect(inspect({ 'net/model.onnx': external(location), secret: 'x' })).rejects.toMatchObject({
        kind: 'invalid-argument',
        message: text.stringContaining(`tensor "w": external data "${location}"`),
      });
    }
    await expect(inspect({ 'm.onnx': external('w.bin', 16), 'w.bin': weights })).rejects.toThrow(/ends at byte 16/);
    const yaml = 'golden: [{name: adds, inputs: {x: [[1, 1, 1]]}, outputs: {y: [[2, 3, 4]]}}]';
    const outcome = await admit({
      'net/model.onnx': external('data/w.bin'),
      'net/data/w.bin': weights,
      'sluice.yaml': yaml,
    });
    expect(outcome.rejection).toBe('');
  });

  it('that the runtime refuses are rejected with its reason', async () => {
    const { admit } = await bench();
    const unknown = await admit({ 'model.onnx': withNodes(node('NoSuchOperator', ['x'], ['y'])) });
    expect(unknown.passed).toBe(false);
    expect(unknown.rejection).toMatch(/^load: .*NoSuchOperator/);
    const types = await admit({
      'model.onnx': model({
        opset: 9999,
        graph: graph({ nodes: [node('Relu', ['x'], ['y'])], inputs: [x], outputs: [y] }),
      }),
    });
    expect(types.rejection).toMatch(/^load: .*9999/);
  });

  it('leave nothing behind in the work folder', async () => {
    const { admit, workFolder } = await bench();
    await admit({ 'model.onnx': withNodes(node('NoSuchOperator', ['x'], ['y'])) });
    await admit({ 'model.onnx': identityModel('FP32') });
    expect(await readdir(workFolder)).toEqual([]);
  });
});

describe('the store', () => {
  it('is not changed by an admission', async () => {
    const { admit, store } = await bench();
    const bytes = identityModel('FP32');
    await admit({ 'model.onnx': bytes });
    const [stat] = await gather(store.list());
    const chunks = await gather(store.read(stat!.sha256));
    expect(Buffer.concat(chunks).equals(Buffer.from(bytes))).toBe(true);
  });
});
