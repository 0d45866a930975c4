import { graph, model, node, value } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { scanGraph } from '../onnx/scan-graph.ts';
import { describeVersion } from './describe-version.ts';
import { maxManifestBytes, parseManifest } from './parse-manifest.ts';

const parse = (text: string) => parseManifest(Buffer.from(text));

async function smallGraph(columns = 4, metadata: Record<string, string> = {}) {
  const tensors = {
    inputs: [value('x', 'FP32', ['batch', columns])],
    outputs: [value('y', 'FP32', ['batch', columns])],
  };
  const bytes = model({ graph: graph({ nodes: [node('Identity', ['x'], ['y'])], ...tensors }), metadata });
  const read = async (offset: number, length: number) => bytes.subarray(offset, offset + length);
  return scanGraph({ size: bytes.length, read, close: async () => undefined });
}

/** One megabyte of a piece, after what comes before it. */
function mebibyteOf(piece: (index: number) => string, start: string, end = ''): string {
  const pieces = [start];
  for (let size = start.length + end.length, index = 0; ; index += 1) {
    const next = piece(index);
    size += next.length;
    if (size > maxManifestBytes) return pieces.join('') + end;
    pieces.push(next);
  }
}

// The registry answers nobody else while it reads: in seconds of a busy machine, where the work once took minutes.
describe('a sluice.yaml of 1 MiB is read or refused quickly', { timeout: 15_000 }, () => {
  const filler = 'x'.repeat(20);
  it.each([
    ['keys of a map', mebibyteOf((index) => `  k${index}: ${filler}\n`, 'hyperparameters:\n')],
    ['text', mebibyteOf(() => filler, 'hyperparameters:\n  a: "', '"')],
    ['numbers', mebibyteOf(() => ` ${1 / 3},`, 'hyperparameters:\n  a: [', ']')],
  ])('read: %s', (_, text) => {
    expect(Object.keys(parse(text).manifest.hyperparameters).length).toBeGreaterThan(0);
  });

  it.each([
    ['unknown keys', mebibyteOf((index) => `k${index}: ${filler}\n`, ''), /has 3\d{4} problems/],
    ['the same key', mebibyteOf(() => `key: ${filler}\n`, ''), /has 4\d{4} problems:\n.*Map keys must be unique/],
    ['small keys', mebibyteOf((index) => `k${index}: 1,`, 'hyperparameters: {', '}'), /more than 300000 tokens/],
    ['small numbers', mebibyteOf(() => '1,', 'golden: [', ']'), /more than 300000 tokens/],
    ['levels', mebibyteOf(() => '[', 'hyperparameters: '), /more than 300000 tokens/],
    ['comments', mebibyteOf(() => '#\n', ''), /more than 300000 tokens/],
    ['aliases', `hyperparameters: {a: &a ${'x'.repeat(1_000_000)}, b: [*a, *a, *a]}`, /with its aliases written out/],
  ])('refused: %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it('refused: names that the graph does not have', async () => {
    const info = await smallGraph();
    const inputs = mebibyteOf((index) => `k${index}: ${filler}, `, 'golden: [{name: a, inputs: {', '}, outputs: {}}]');
    const parsed = parse(inputs);
    expect(() => describeVersion('m.onnx', info, parsed)).toThrow(/has 3\d{4} problems/);
  });

  it('refused: more levels than anything walks down', () => {
    expect(() => parse(`hyperparameters: ${'['.repeat(101)}${']'.repeat(101)}`)).toThrow(/deeper than 100 levels/);
    expect(() => parse(`hyperparameters: {a: ${'['.repeat(97)}${']'.repeat(97)}}`)).not.toThrow();
  });
});

describe('the features of a signature', () => {
  const described = async (count: number, name: string) => {
    const names = Array.from({ length: count }, (_, index) => `${name}${index}`);
    return describeVersion('m.onnx', await smallGraph(count, { feature_names: JSON.stringify(names) }), parse(''));
  };

  it('are refused when they are too much to be told to everybody', async () => {
    expect((await described(50_000, 'feature_')).signature.inputs[0]?.features).toHaveLength(50_000);
    const names = Array.from({ length: 80_000 }, (_, index) => `f${index}`).join(',');
    const parsed = parse(`signature: {inputs: [{name: x, range: [-1234.5, 1234.5], features: [${names}]}]}`);
    const info = await smallGraph(80_000);
    expect(() => describeVersion('m.onnx', info, parsed)).toThrow(
      /^the signature has \d+ bytes; at most 4194304\. The largest part is "x" with 80000 features: give it shorter/,
    );
  });

  it('are not taken from metadata with longer names than sluice.yaml may have', async () => {
    const { signature, derived } = await described(3, 'f'.repeat(200));
    expect(signature.inputs[0]?.features).toEqual([]);
    expect(derived).toContain('metadata feature_names not used: one has more than 200 characters');
    expect((await described(40_000, 'f'.repeat(150))).signature.inputs[0]?.features).toEqual([]);
  });
});
