import { SluiceError } from '@sluice/domain/errors';
import {
  attribute,
  bytesField,
  externalTensor,
  graph,
  identityModel,
  model,
  node,
  sequenceValue,
  tensor,
  value,
  varintField,
} from '@sluice/testkit/onnx-builder';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../artifacts/artifact-store.ts';
import { propertyRuns } from '../../test/property-runs.ts';
import { checkExternalData } from './external-data.ts';
import { featureNamesIn, signatureOf, whyNotBatched } from './graph-signature.ts';
import { scanGraph } from './scan-graph.ts';

/** A byte source over memory that counts what is read of it. */
function sourceOf(bytes: Uint8Array): ByteSource & { bytesRead: number } {
  return {
    size: bytes.length,
    bytesRead: 0,
    async read(offset, length) {
      const part = bytes.subarray(offset, offset + length);
      this.bytesRead += part.length;
      return part;
    },
    close: async () => undefined,
  };
}

const scan = (bytes: Uint8Array) => scanGraph(sourceOf(bytes));
const io = { inputs: [value('x', 'FP32', ['batch', 2])], outputs: [value('y', 'FP32', ['batch', 2])] };
const add = graph({ ...io, nodes: [node('Add', ['x', 'b'], ['y'])], initializers: [tensor('b', 'FP32', [2], [1, 2])] });

/** A graph inside the `body` of a Loop inside … `depth` times. */
function nested(depth: number): Uint8Array {
  let inner = graph({ nodes: [node('Relu', ['x'], ['y'])], inputs: [], outputs: [] });
  for (let level = 0; level < depth; level += 1) {
    inner = graph({ nodes: [node('Loop', [''], ['y'], [attribute.graph('body', inner)])], inputs: [], outputs: [] });
  }
  return model({ graph: inner });
}

describe('scanGraph', () => {
  it('reads versions, operator sets, metadata, tensors and operators', async () => {
    const info = await scan(model({ graph: add, opsets: { 'ai.onnx.ml': 3 }, metadata: { feature_names: 'a,b' } }));
    expect(info).toMatchObject({
      irVersion: 8,
      producerName: 'sluice-testkit',
      graphName: 'test',
      opsets: [
        { domain: '', version: 17 },
        { domain: 'ai.onnx.ml', version: 3 },
      ],
      metadata: { feature_names: 'a,b' },
      operators: [{ domain: '', type: 'Add', count: 1 }],
      nodeCount: 1,
      initializerCount: 1,
      initializerBytes: 8,
      externalData: [],
    });
    expect(info.inputs).toEqual([
      {
        name: 'x',
        kind: 'tensor',
        elemType: 1,
        shape: [
          { kind: 'param', name: 'batch' },
          { kind: 'value', value: 2 },
        ],
      },
    ]);
  });

  it('leaves out inputs that are initializers', async () => {
    const withDefault = graph({
      nodes: [node('Add', ['x', 'b'], ['y'])],
      inputs: [value('x', 'FP32', ['n']), value('b', 'FP32', [1])],
      outputs: [value('y', 'FP32', ['n'])],
      initializers: [tensor('b', 'FP32', [1], [1])],
    });
    expect((await scan(model({ graph: withDefault }))).inputs.map((input) => input.name)).toEqual(['x']);
  });

  it('counts operators inside subgraphs and functions', async () => {
    const inFunction = bytesField(25, Buffer.concat([bytesField(1, 'f'), bytesField(7, node('Abs', ['a'], ['b']))]));
    const info = await scan(Buffer.concat([nested(3), inFunction]));
    expect(info.operators).toEqual([
      { domain: '', type: 'Abs', count: 1 },
      { domain: '', type: 'Loop', count: 3 },
      { domain: '', type: 'Relu', count: 1 },
    ]);
  });

  it('seeks over weights', async () => {
    const weights = tensor('w', 'FP32', [2_000_000], new Uint8Array(8_000_000));
    const source = sourceOf(model({ graph: graph({ ...io, nodes: [], initializers: [weights] }) }));
    expect((await scanGraph(source)).initializerBytes).toBe(8_000_000);
    expect(source.bytesRead).toBeLessThan(300_000);
  });

  it('reads a model of more than 2 GiB, whatever lies in between', async () => {
    const gap = 3 * 1024 ** 3;
    const head = Buffer.concat([varintField(1, 8), bytesField(8, varintField(2, 17))]);
    const before = bytesField(1, node('Add', ['x', 'w'], ['y']));
    const after = Buffer.concat([
      ...io.inputs.map((io) => bytesField(11, io)),
      ...io.outputs.map((io) => bytesField(12, io)),
    ]);
    const raw = Buffer.concat([bytesField(8, 'w'), lengthOnly(9, gap)]);
    const initializer = Buffer.concat([lengthOnly(5, raw.length + gap), raw]);
    const body = before.length + initializer.length + gap + after.length;
    const start = Buffer.concat([head, lengthOnly(7, body), before, initializer]);
    const size = start.length + gap + after.length;
    const source: ByteSource = {
      size,
      async read(offset, length) {
        const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - offset)));
        for (const [at, part] of [[0, start] as const, [start.length + gap, after] as const]) {
          for (let index = 0; index < part.length; index += 1) {
            const to = at + index - offset;
            if (to >= 0 && to < bytes.length) bytes[to] = part[index]!;
          }
        }
        return bytes;
      },
      close: async () => undefined,
    };
    const info = await scanGraph(source);
    expect(info.initializerBytes).toBe(gap);
    expect(signatureOf(info).batched).toBe(true);
  });

  it.each([
    ['an empty file', new Uint8Array(), /model at byte 0: the file is empty/],
    ['text', Buffer.from('{"not": "onnx"}'), /ONNX graph: .* at byte \d+: /],
    ['a model without a graph', Buffer.from(varintField(1, 8)), /there is no graph/],
    ['two graphs', Buffer.concat([model({ graph: add }), bytesField(7, add)]), /2 graphs/],
    ['no operator set', bytesField(7, add), /no opset_import/],
    [
      'a field of the wrong type',
      Buffer.concat([model({ graph: add }), bytesField(1, 'x')]),
      /ir_version .* wire type 2, expected 0/,
    ],
    ['a group', Buffer.from([0x0b]), /wire type 3/],
    ['field number 0', Buffer.from([0x00, 0x00]), /no field number/],
    ['an endless number', Buffer.from([0x08, ...Array<number>(11).fill(0xff)]), /more than ten bytes/],
    [
      'a length beyond the end',
      Buffer.from([0x3a, 0x7f, 0x00]),
      /graph at byte 2: it says 127 bytes where 1 are left: truncated or corrupt/,
    ],
    ['a negative length', Buffer.from([0x3a, ...Array<number>(9).fill(0xff), 0x01]), /truncated or corrupt/],
    [
      'a name that is not UTF-8',
      model({ graph: graph({ ...io, nodes: [bytesField(4, Uint8Array.of(0xc3, 0x28))] }) }),
      /graph\.node\.op_type at byte \d+: not valid UTF-8/,
    ],
    [
      'a negative dimension',
      model({ graph: graph({ ...io, nodes: [], inputs: [value('x', 'FP32', [-5])] }) }),
      /graph\.input\.type\.tensor_type\.shape\.dim\.dim_value at byte \d+: -5 is not the size/,
    ],
    ['subgraphs nested too deep', nested(33), /nested more than 32 deep/],
    [
      'external data without a place',
      model({
        graph: graph({ ...io, nodes: [], initializers: [Buffer.concat([bytesField(8, 'w'), varintField(14, 1)])] }),
      }),
      /tensor "w" is external without a location/,
    ],
    [
      'an external offset that is no number',
      model({
        graph: graph({
          ...io,
          nodes: [],
          initializers: [externalTensor('w', 'FP32', [1], { location: 'a', offset: -4n })],
        }),
      }),
      /external offset "-4"/,
    ],
    [
      'a name with a NUL',
      model({ graph: graph({ ...io, nodes: [], inputs: [value('x\0', 'FP32', [1])] }) }),
      /NUL character/,
    ],
  ])('refuses %s, naming field and byte', async (_, bytes, message) => {
    await expect(scan(bytes)).rejects.toThrow(message);
    await expect(scan(bytes)).rejects.toMatchObject({ kind: 'invalid-argument' });
  });

  it('takes subgraphs up to the bound', async () => {
    expect((await scan(nested(32))).nodeCount).toBe(33);
  });

  it('stops at its bounds', async () => {
    const many = model({
      graph: graph({ ...io, nodes: Array.from({ length: 100 }, (_, index) => node(`Op${index}`, [], [])) }),
    });
    await expect(scanGraph(sourceOf(many), { maxEntries: 99 })).rejects.toThrow(/more than 99 kinds of operators/);
    await expect(scanGraph(sourceOf(many), { maxFields: 99 })).rejects.toThrow(/more than 99 fields/);
    await expect(scanGraph(sourceOf(many), { maxTextBytes: 99 })).rejects.toThrow(/more than 99 bytes of names/);
  });

  it('says so when the source ends before its size', async () => {
    const bytes = identityModel('FP32');
    const short: ByteSource = { ...sourceOf(bytes.subarray(0, 20)), size: bytes.length };
    await expect(scanGraph(short)).rejects.toThrow(/the file ends at byte 20/);
  });
});

/** A length-delimited field's tag and length without its bytes. */
function lengthOnly(number: number, length: number): Buffer {
  const whole = varintField(number, length);
  const tag = Buffer.from(bytesField(number, new Uint8Array())).subarray(0, -1);
  return Buffer.concat([tag, Buffer.from(whole).subarray(tag.length)]);
}

describe('hostile bytes', () => {
  const seed = model({ graph: add, metadata: { feature_names: 'a,b' } });
  const ends = async (bytes: Uint8Array) => {
    try {
      signatureOf(await scan(bytes));
    } catch (error) {
      expect(error).toBeInstanceOf(SluiceError);
      expect((error as SluiceError).kind).toBe('invalid-argument');
    }
  };

  it('ends well for every truncation', async () => {
    for (let length = 0; length < seed.length; length += 1) await ends(seed.subarray(0, length));
  });

  it('ends well for every flipped byte', async () => {
    for (let at = 0; at < seed.length; at += 1) {
      for (const mask of [0x01, 0x80, 0xff]) {
        const bytes = Uint8Array.from(seed);
        bytes[at]! ^= mask;
        await ends(bytes);
      }
    }
  });

  it('ends well for random splices and random bytes', async () => {
    const edit = fc.record({ at: fc.nat(seed.length), remove: fc.nat(20), insert: fc.uint8Array({ maxLength: 20 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 5 }), async (edits) => {
        let bytes = Buffer.from(seed);
        for (const { at, remove, insert } of edits) {
          bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
        }
        await ends(bytes);
      }),
      propertyRuns,
    );
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), ends), propertyRuns);
  });
});

describe('the signature of a graph', () => {
  const of = async (...tensors: [inputs: Uint8Array[], outputs: Uint8Array[]]) =>
    signatureOf(await scan(model({ graph: graph({ nodes: [], inputs: tensors[0], outputs: tensors[1] }) })));

  it('has names, datatypes, shapes and dimension names', async () => {
    const signature = await of([value('x', 'INT64', ['n', 3, null, 'm'])], [value('y', 'BYTES', ['n'])]);
    expect(signature.inputs).toEqual([
      { name: 'x', datatype: 'INT64', shape: [-1, 3, -1, -1], dimNames: ['n', '', '', 'm'], features: [] },
    ]);
    expect(signature.batched).toBe(true);
  });

  it.each([
    [[value('x', 'FP32', [])], [value('y', 'FP32', ['n'])], 'input "x" is a scalar'],
    [
      [value('x', 'FP32', [1, 3])],
      [value('y', 'FP32', ['n'])],
      'the first dimension of input "x" is 1, not a dynamic batch',
    ],
    [[value('x', 'FP32', ['n', 3])], [value('y', 'FP32', ['m'])], 'have different names ("n" and "m")'],
    [[], [value('y', 'FP32', ['m'])], 'the graph has no input'],
  ])('says why rows are not batched', async (inputs, outputs, reason) => {
    const signature = await of(inputs, outputs);
    expect(signature.batched).toBe(false);
    expect(whyNotBatched(signature)).toContain(reason);
  });

  it('takes dimensions without a name as the batch', async () => {
    const signature = await of([value('x', 'FP32', [null, 3])], [value('y', 'FP32', ['n'])]);
    expect([signature.batched, whyNotBatched(signature)]).toEqual([true, '']);
  });

  it('refuses what the runtime cannot carry, all of it at once', async () => {
    const refused = of(
      [value('a', 'BF16', [1]), value('b', 'FP8E4M3FN', [1]), value('c', 'INT4', [1]), value('c', 'FP32', [1])],
      [sequenceValue('s', 'FP32'), value('r', 'FP32'), value('', 'FP32', [])],
    );
    await expect(refused).rejects.toMatchObject({ kind: 'invalid-argument' });
    for (const part of [
      'input "a" has datatype BFLOAT16',
      'input "b" has datatype FLOAT8E4M3FN',
      'input "c" has datatype INT4',
      'input "c" is declared twice',
      'output "s" is a sequence',
      'output "r" has no shape',
      'an output without a name',
    ]) {
      await expect(refused).rejects.toThrow(part);
    }
  });

  it('refuses names that are too long to be told to everybody, naming the tensor', async () => {
    const name = (length: number) => 'n'.repeat(length);
    await expect(of([value(name(1000), 'FP32', [name(1000)])], [value('y', 'FP32', [1])])).resolves.toBeDefined();
    await expect(of([], [value(name(1001), 'FP32', [1])])).rejects.toThrow(/output "n+…" has a name of 1001 bytes; at/);
    const wide = of([value('x', 'FP32', [2, name(15_000_000)])], [value('y', 'FP32', [1])]);
    await expect(wide).rejects.toThrow(/^the graph.*: input "x" has a name of more than 1000 bytes for dimension 1/);
  });

  it('shows some of very many problems', async () => {
    const refused = of(
      [],
      Array.from({ length: 900 }, (_, index) => value(`y${index}`, 'FP32')),
    );
    await expect(refused).rejects.toThrow(/"y19" has no shape[^"]*; and 880 problems more$/);
  });
});

describe('external data', () => {
  const files = [
    { path: 'net/model.onnx', sha256: 'a'.repeat(64), size: 10 },
    { path: 'net/weights.bin', sha256: 'b'.repeat(64), size: 100 },
    { path: 'weights.bin', sha256: 'b'.repeat(64), size: 100 },
  ];
  const check = (location: string, offset = 0, length?: number) => {
    checkExternalData([{ tensor: 'w', location, offset, length }], 'net/model.onnx', files);
  };

  it('is looked for beside the graph', () => {
    check('weights.bin', 90, 10);
  });

  it.each([
    ['../weights.bin', /has the part "\.\."/],
    ['/etc/passwd', /is absolute/],
    ['sub/../../x', /has the part "\.\."/],
    ['..\\x', /has a backslash/],
    ['', /is empty/],
    ['*/_ORT_MEM_ADDR_/*', /is not among the pushed files/],
    ['other.bin', /is not among the pushed files \(looked for "net\/other.bin"\)/],
  ])('refuses %j', (location, message) => {
    expect(() => check(location)).toThrow(message);
  });

  it('refuses a range beyond the file', () => {
    expect(() => check('weights.bin', 90, 11)).toThrow(/tensor "w": .* ends at byte 101, but the file has 100/);
    expect(() => check('weights.bin', 101)).toThrow(/ends at byte 101/);
  });
});

describe('feature names in metadata', () => {
  it.each([
    ['["a", "b"]', ['a', 'b']],
    ['a, b', ['a', 'b']],
    ['[1]', undefined],
    ['[', undefined],
    ['a,,b', undefined],
    ['', undefined],
  ])('reads %j', (text, names) => {
    expect(featureNamesIn({ feature_names: text })).toEqual(names);
  });
});
