import { SluiceError } from '@sluice/domain/errors';

/** What ONNX Runtime says of a graph that has operators which the device has not, where none may run on the CPU. */
const wantsCpu = 'fallback to CPU EP has been explicitly disabled';
const outOfMemory = /failed to allocate memory|out of memory|bad_alloc/i;

/**
 * What ONNX Runtime's failure to load a graph means. A want of memory may pass, all else stays until somebody changes
 * something.
 *
 * @param device the name of the one that the session was to be on
 */
export function loadError(reason: string, device: string): SluiceError {
  const where = device === 'cpu' ? '' : ` on ${device}`;
  if (outOfMemory.test(reason)) {
    return new SluiceError('resource-exhausted', `the model did not find the memory that it needs${where}: ${reason}`);
  }
  const why = reason.includes(wantsCpu)
    ? `the graph has operators that ${device} cannot run, and what runs on the CPU must be asked for: push the version ` +
      'for device cpu, or with instances: { cpu_operators: true }'
    : reason;
  return new SluiceError('failed-precondition', `ONNX Runtime could not load the model${where}: ${why}`);
}
