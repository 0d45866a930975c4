import { attribute, graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import { spec } from './runtime.ts';
import type { TestVersion } from './test-registry.ts';

/** Goes round a loop as often as its input says: a batch that takes as long as a test wants it to, or never ends. */
export function countingModel(): Uint8Array {
  const body = graph({
    name: 'body',
    nodes: [node('Identity', ['again'], ['more']), node('Sin', ['carried'], ['next'])],
    inputs: [value('i', 'INT64', []), value('again', 'BOOL', []), value('carried', 'FP32', [])],
    outputs: [value('more', 'BOOL', []), value('next', 'FP32', [])],
  });
  return model({
    graph: graph({
      nodes: [node('Loop', ['trips', 'go', 'start'], ['y'], [attribute.graph('body', body)])],
      inputs: [value('trips', 'INT64', [])],
      outputs: [value('y', 'FP32', [])],
      initializers: [tensor('start', 'FP32', [], [0.5]), tensor('go', 'BOOL', [], [true])],
    }),
  });
}

/** A version of it. Its warm-up asks for no trips at all. */
export const counting = (name: string): TestVersion => ({
  model: name,
  version: 1,
  signature: { inputs: [spec('trips', 'INT64', [])], outputs: [spec('y', 'FP32', [])], batched: false },
  files: { 'm.onnx': countingModel() },
});
