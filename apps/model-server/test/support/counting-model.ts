import { countingModel } from '@sluice/testkit/counting-model';
import { spec } from './runtime.ts';
import type { TestVersion } from './test-registry.ts';

/** A version that runs as long as it is asked to. Its warm-up asks for no trips at all. */
export const counting = (name: string): TestVersion => ({
  model: name,
  version: 1,
  signature: { inputs: [spec('trips', 'INT64', [])], outputs: [spec('y', 'FP32', [])], batched: false },
  files: { 'm.onnx': countingModel() },
});
