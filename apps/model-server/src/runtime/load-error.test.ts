import { expect, it } from 'vitest';
import { loadError } from './load-error.ts';

it.each([
  ['Failed to allocate memory for requested buffer of size 9', 'resource-exhausted'],
  ['CUDA failure 2: out of memory ; GPU=0', 'resource-exhausted'],
  ['std::bad_alloc', 'resource-exhausted'],
  ['Protobuf parsing failed.', 'failed-precondition'],
] as const)('what may pass is tried again, the rest stays: %s', (reason, kind) => {
  const error = loadError(reason, 'cuda:1');
  expect([error.kind, error.message.endsWith(`on cuda:1: ${reason}`)]).toEqual([kind, true]);
  expect(loadError(reason, 'cpu').message).not.toContain(' on ');
});

it('says what can be done about operators that the device has not', () => {
  const reason =
    'This session contains graph nodes that are assigned to the default CPU EP, but fallback to CPU EP has been explicitly disabled by the user.';
  expect(loadError(reason, 'cuda:0')).toMatchObject({
    kind: 'failed-precondition',
    message:
      'ONNX Runtime could not load the model on cuda:0: the graph has operators that cuda:0 cannot run, and what runs on the ' +
      'CPU must be asked for: push the version for device cpu, or with instances: { cpu_operators: true }',
  });
});
