import { unimplemented } from './handlers.ts';
import type { UnimplementedMethod } from './handlers.ts';

const registering = (method: string): UnimplementedMethod =>
  unimplemented(
    `${method} is not implemented: Sluice has no shared memory with its callers; send tensors in the request`,
  );

/**
 * What a server without shared memory answers to the six methods of Triton's two extensions: no region is registered, so
 * there is nothing to list and nothing that taking one away would change.
 */
export function sharedMemoryHandlers() {
  return {
    systemSharedMemoryStatus: async () => ({ regions: {} }),
    systemSharedMemoryRegister: registering('SystemSharedMemoryRegister'),
    systemSharedMemoryUnregister: async () => ({}),
    cudaSharedMemoryStatus: async () => ({ regions: {} }),
    cudaSharedMemoryRegister: registering('CudaSharedMemoryRegister'),
    cudaSharedMemoryUnregister: async () => ({}),
  };
}

/** What a server answers whose tracing and logging are set where it is started. */
export function settingHandlers() {
  return {
    traceSetting: unimplemented('TraceSetting is not implemented: traces follow the traceparent of each request'),
    logSettings: unimplemented('LogSettings is not implemented: set --log-level at the start of each service'),
  };
}
