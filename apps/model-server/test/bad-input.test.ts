import { inferenceService } from '@sluice/contracts/services';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { collectGarbage } from '@sluice/service-kit/collect-garbage';
import { graph, identityModel, model, node, value } from '@sluice/testkit/onnx-builder';
import { example } from './support/examples.ts';
import { propertyRuns } from './support/property-runs.ts';
import {
  identitySignature,
  requestOf,
  spec,
  startRuntime,
  temporaryFolder,
  type TestRuntime,
} from './support/runtime.ts';
import { TestRegistry, type TestVersion } from './support/test-registry.ts';

let registry: TestRegistry;
let runtime: TestRuntime;
const pixels = Array.from({ length: 64 }, (_, index) => index % 17);
const good = requestOf('digits', 'FP32', [1, 64], pixels, { input: 'pixels' });
const limit = 1 << 20;

beforeAll(async () => {
  registry = await new TestRegistry().start();
  const text = {
    model: 'text',
    version: 1,
    signature: identitySignature('BYTES', [-1, 2]),
    files: { 'm.onnx': identityModel('BYTES', ['batch', 2]) },
  };
  registry.place(example('digits', 'mlp', 2, 'champion'), text, pair);
  const args = [`--max-message-bytes=${limit}`];
  runtime = await (await startRuntime({ registry: registry.address, stateDir: temporaryFolder(), args })).ready();
});
afterAll(async () => {
  await runtime.stop();
  await registry.stop();
});

async function refused(bytes: Uint8Array, kind: string, message: string | RegExp): Promise<void> {
  const { error } = await runtime.send(bytes);
  expect({ kind: error?.kind, message: error?.message }).toEqual({
    kind,
    message: expect.stringMatching(message) as string,
  });
}

/** a + b, where b has one column and a any number of them. */
const pair: TestVersion = {
  model: 'pair',
  version: 1,
  signature: {
    inputs: [spec('a', 'FP32', [-1, -1]), spec('b', 'FP32', [-1, 1])],
    outputs: [spec('sum', 'FP32', [-1, -1])],
    batched: true,
  },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [node('Add', ['a', 'b'], ['sum'])],
        inputs: [value('a', 'FP32', ['batch', 'width']), value('b', 'FP32', ['batch', 1])],
        outputs: [value('sum', 'FP32', ['batch', 'width'])],
      }),
    }),
  },
};

const encodeTyped = (message: object): Buffer => inferenceService.definition['ModelInfer']!.requestSerialize(message);

/** Encodes with the generated types, which take things that our own builder would refuse. */
async function typed(request: object): Promise<{ kind: string; message: string }> {
  return runtime.inference.modelInfer(request).then(
    () => ({ kind: 'ok', message: '' }),
    (error: unknown) => error as { kind: string; message: string },
  );
}

const input = { name: 'pixels', datatype: 'FP32', shape: ['1', '64'] };
const rawPixels = [Buffer.from(encodeTensor('FP32', pixels))];
const request = (
  changes: object,
  inputs: readonly object[] = [input],
  rawInputContents: readonly Buffer[] = rawPixels,
) => ({
  modelName: 'digits',
  inputs,
  rawInputContents,
  ...changes,
});

describe('bad input gets one clear status and the process lives', () => {
  it('truncated messages', async () => {
    for (const length of [1, 5, 9, good.length - 300, good.length - 257, good.length - 1]) {
      const { error } = await runtime.send(good.subarray(0, Math.max(1, length)));
      expect(error?.kind).toBe('invalid-argument');
    }
  });

  it('bytes that are no protobuf, and messages of another schema', async () => {
    await refused(Buffer.from('GET / HTTP/1.1\r\n\r\n'), 'invalid-argument', /ModelInferRequest/);
    await refused(Buffer.alloc(64, 0xff), 'invalid-argument', /ModelInferRequest/);
    await refused(Buffer.from([0x08, 0x01, 0x10, 0x02]), 'invalid-argument', /model_name/);
    await refused(Buffer.alloc(0), 'invalid-argument', /model_name: expected the name of a model/);
  });

  it('oversized messages', async () => {
    await refused(
      Buffer.concat([good, Buffer.alloc(limit)]),
      'resource-exhausted',
      /larger|exceed|max|more than the limit/i,
    );
  });

  it('unknown models and versions', async () => {
    const of = (modelName: string, version = '') =>
      requestOf(modelName, 'FP32', [1, 64], pixels, { input: 'pixels', version });
    await refused(of('nobody'), 'not-found', /Request for unknown model: 'nobody'/);
    await refused(of('digits', '7'), 'not-found', /Request for unknown model: 'digits' version '7'.*placed here: 2/);
    await refused(of('digits', 'canary'), 'not-found', /version 'canary'/);
    await refused(
      of('digits', '-1'),
      'invalid-argument',
      /model_version: "-1" is neither a version number nor an alias/,
    );
    const ready = await runtime.inference.modelReady({ name: 'nobody' });
    expect(ready).toEqual({ ready: false });
  });

  it.each([
    ['missing', request({}, [], []), /input 'pixels' .* is missing/],
    [
      'extra',
      request({}, [input, { ...input, name: 'more' }], [...rawPixels, ...rawPixels]),
      /unexpected input 'more'/,
    ],
    ['duplicate', request({}, [input, input], [...rawPixels, ...rawPixels]), /'pixels' .* more than once/],
    ['misnamed', request({}, [{ ...input, name: 'pixel' }]), /unexpected input 'pixel'.*expected 'pixels'/],
    [
      'of another datatype',
      request({}, [{ ...input, datatype: 'INT32' }]),
      /'pixels' .* datatype 'INT32'; expected FP32/,
    ],
    ['of no datatype', request({}, [{ ...input, datatype: 'FLOAT' }]), /datatype 'FLOAT'/],
    ['of another rank', request({}, [{ ...input, shape: ['64'] }]), /'pixels' .* shape \[64\]; expected \[-1,64\]/],
    ['of another shape', request({}, [{ ...input, shape: ['1', '63'] }]), /shape \[1,63\]/],
    ['with a negative dimension', request({}, [{ ...input, shape: ['-1', '64'] }]), /negative dimension/],
    [
      'with overflowing dimensions',
      request({}, [{ ...input, shape: ['4611686018427387904', '64'] }]),
      /input 'pixels'.*too many elements: at shape\[0\]/,
    ],
    ['too short', request({}, [input], [rawPixels[0]!.subarray(1)]), /'pixels'.*Expected 256, got 255/],
    ['too long', request({}, [input], [Buffer.concat([rawPixels[0]!, Buffer.alloc(4)])]), /Expected 256, got 260/],
    [
      'raw and typed',
      request({}, [{ ...input, contents: { fp32Contents: pixels } }]),
      /contents field must not be specified when using raw_input_contents/,
    ],
    [
      'typed in the wrong field',
      request({}, [{ ...input, contents: { intContents: pixels } }], []),
      /'pixels'.*fp32_contents.*int_contents/,
    ],
    [
      'typed and too few',
      request({}, [{ ...input, contents: { fp32Contents: [1, 2] } }], []),
      /'pixels'.*Expected 256, got 8/,
    ],
    [
      'without its raw entry',
      request({}, [input], [...rawPixels, ...rawPixels]),
      /raw_input_contents.*expected 1.*got 2/,
    ],
    [
      'of an output that is not there',
      request({ outputs: [{ name: 'logits' }] }),
      /unexpected output 'logits'.*'probabilities'/,
    ],
    [
      'with a reserved parameter',
      request({ parameters: { sluice_arm: { stringParam: 'x' } } }),
      /sluice_arm.*reserved/,
    ],
    [
      'with a parameter of the wrong type',
      request({ parameters: { priority: { stringParam: 'x' } } }),
      /priority.*int64/,
    ],
  ])('tensors and parameters: %s', async (_what, message, expected) => {
    const { kind, message: text } = await typed(message);
    expect({ kind, text }).toEqual({ kind: 'invalid-argument', text: expect.stringMatching(expected) as string });
  });

  it('strings that the runtime cannot carry', async () => {
    const text = (first: Buffer) => {
      const second = Buffer.from('ok');
      const data = Buffer.concat(
        [first, second].flatMap((bytes) => [Buffer.from(Uint32Array.of(bytes.length).buffer), bytes]),
      );
      return buildInferRequest({ modelName: 'text', inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 2], data }] });
    };
    await refused(text(Buffer.from([0xc3, 0x28])), 'invalid-argument', /'x'.*element 0 is not valid UTF-8/);
    await refused(text(Buffer.from('a\0b')), 'invalid-argument', /'x'.*element 0 contains a NUL byte/);
    expect((await runtime.send(text(Buffer.from('fine')))).error).toBeUndefined();
  });

  it('invalid UTF-8 in names', async () => {
    const name = Buffer.from([0x0a, 2, 0xc3, 0x28]);
    await refused(Buffer.concat([name, good]), 'invalid-argument', /model_name/);
  });

  it('methods that are not here name themselves', async () => {
    await expect(runtime.inference.traceSetting({})).rejects.toMatchObject({
      kind: 'unimplemented',
      message: expect.stringContaining('TraceSetting') as string,
    });
  });
});

/** Bytes of objects and buffers that are in use, once the garbage is gone and the test's own log is. */
function bytesInUse(): number {
  runtime.log.length = 0;
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const strings = ['ok', 'größe'].map((each) => Buffer.from(each));
/** One request of every form that takes another way through the server: each is answered as it is. */
const forms = {
  raw: good,
  typed: encodeTyped(request({}, [{ ...input, contents: { fp32Contents: pixels } }], [])),
  strings: buildInferRequest({
    modelName: 'text',
    inputs: [{ name: 'x', datatype: 'BYTES', shape: [1, 2], data: encodeTensor('BYTES', ['ok', 'größe']) }],
  }),
  typedStrings: encodeTyped({
    modelName: 'text',
    inputs: [{ name: 'x', datatype: 'BYTES', shape: ['1', '2'], contents: { bytesContents: strings } }],
  }),
  // Two inputs, one of them as wide as its caller likes.
  pair: buildInferRequest({
    modelName: 'pair',
    id: 'p',
    outputs: ['sum'],
    parameters: new Map([['priority', { kind: 'int64', value: 1n }]]),
    inputs: [
      { name: 'a', datatype: 'FP32', shape: [2, 3], data: encodeTensor('FP32', [1, 2, 3, 4, 5, 6]) },
      { name: 'b', datatype: 'FP32', shape: [2, 1], data: encodeTensor('FP32', [1, 2]) },
    ],
  }),
};

describe('mutated requests', () => {
  it.each(Object.entries(forms))('of the form %s are right before they are mutated', async (_form, bytes) => {
    expect((await runtime.send(bytes)).error).toBeUndefined();
  });

  it('never crash, hang or leak', { timeout: 1_800_000 }, async () => {
    const edit = fc.record({
      at: fc.nat(10_000),
      byte: fc.nat(255),
      kind: fc.constantFrom('set', 'cut', 'insert', 'drop'),
    });
    const form = fc.constantFrom(...Object.values(forms));
    const outcomes: Record<string, number> = {};
    // Code and caches that the first requests leave are no leak.
    for (let count = 0; count < 100; count += 1) await runtime.send(good.subarray(0, good.length - count));
    const before = bytesInUse();
    await fc.assert(
      fc.asyncProperty(form, fc.array(edit, { minLength: 1, maxLength: 6 }), async (whole, edits) => {
        let bytes: Buffer = Buffer.from(whole);
        for (const { at, byte, kind } of edits) {
          const place = at % (bytes.length + 1);
          if (kind === 'set' && place < bytes.length) bytes[place] = byte;
          else if (kind === 'cut') bytes = bytes.subarray(0, place);
          else if (kind === 'insert')
            bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place)]);
          else if (kind === 'drop') bytes = Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1)]);
        }
        const outcome: RawOutcome = await runtime.send(bytes);
        const kind = outcome.error?.kind ?? 'ok';
        outcomes[kind] = (outcomes[kind] ?? 0) + 1;
        expect(['ok', 'invalid-argument', 'not-found']).toContain(kind);
      }),
      propertyRuns,
    );
    // Whatever the number of requests is.
    expect(bytesInUse() - before).toBeLessThan(8 << 20);
    expect(outcomes['invalid-argument']).toBeGreaterThan(propertyRuns.numRuns / 4);
    for (const bytes of Object.values(forms)) expect((await runtime.send(bytes)).error).toBeUndefined();
    const state = await runtime.state();
    expect(state['heldRequestBytes']).toBe(0);
    for (const version of state.versions)
      expect(version).toMatchObject({ state: 'ready', running: { batches: 0, oldestMs: 0 } });
  });
});
