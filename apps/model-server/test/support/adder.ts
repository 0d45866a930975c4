import { graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import { identitySignature, requestOf } from './runtime.ts';
import type { TestVersion } from './test-registry.ts';

/** y = x + number, so that an answer shows which version made it. */
export function adder(number: number, aliases: string[] = [], padding = 0): TestVersion {
  const graphBytes = model({
    graph: graph({
      nodes: [node('Add', ['x', 'w'], ['y'])],
      inputs: [value('x', 'FP32', ['batch', 3])],
      outputs: [value('y', 'FP32', ['batch', 3])],
      initializers: [
        tensor('w', 'FP32', [3], [number, number, number]),
        tensor('unused', 'UINT8', [padding], new Uint8Array(padding).fill(number)),
      ],
    }),
  });
  return {
    model: 'adder',
    version: number,
    signature: identitySignature('FP32', [-1, 3]),
    files: { 'm.onnx': graphBytes },
    aliases,
  };
}

/** A request whose answer shows which version made it. */
export const ask = (version = ''): Buffer => requestOf('adder', 'FP32', [1, 3], [0, 1, 2], { version });
