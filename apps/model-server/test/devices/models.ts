import { graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import { identitySignature, spec } from '../support/runtime.ts';
import type { TestVersion } from '../support/test-registry.ts';

type Serving = NonNullable<TestVersion['serving']>;

/** y = x for text. */
export const echo = (version: number, serving: Serving): TestVersion => ({
  ...{ model: 'echo', version, signature: identitySignature('BYTES', [-1, 1]) },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [node('Identity', ['x'], ['y'])],
        inputs: [value('x', 'BYTES', ['batch', 1])],
        outputs: [value('y', 'BYTES', ['batch', 1])],
      }),
    }),
  },
  serving: { maxBatchSize: 4, warmupCount: 1, ...serving },
});

/** Where a row is not zero: how many places that are shows only the run. */
export const places = (version: number, serving: Serving): TestVersion => ({
  ...{ model: 'places', version },
  signature: { inputs: [spec('x', 'FP32', [4])], outputs: [spec('y', 'INT64', [1, -1])], batched: false },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [node('NonZero', ['x'], ['y'])],
        inputs: [value('x', 'FP32', [4])],
        outputs: [value('y', 'INT64', [1, 'n'])],
      }),
    }),
  },
  serving: { maxBatchSize: 0, warmupCount: 1, ...serving },
});

/** As many ones as are asked for: a number that no memory has room for is not the model's failure. */
export const ones = (version: number, serving: Serving): TestVersion => ({
  ...{ model: 'ones', version },
  signature: { inputs: [spec('x', 'INT64', [1])], outputs: [spec('y', 'FP32', [-1])], batched: false },
  files: {
    'm.onnx': model({
      graph: graph({
        nodes: [node('Expand', ['one', 'x'], ['y'])],
        inputs: [value('x', 'INT64', [1])],
        outputs: [value('y', 'FP32', ['n'])],
        initializers: [tensor('one', 'FP32', [1], [1])],
      }),
    }),
  },
  serving: { maxBatchSize: 0, warmupCount: 0, ...serving },
});
