import type { InferenceSession } from 'onnxruntime-node';
import type { SessionDevice } from './devices.ts';

/** How ONNX Runtime is told to make a session. */
export function sessionOptions(
  device: SessionDevice,
  intraOpThreads: number,
  spinning = false,
): InferenceSession.SessionOptions {
  const spin = spinning ? '1' : '0';
  return {
    intraOpNumThreads: intraOpThreads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    executionProviders: [device.provider],
    // Its own log lines are not JSON and may quote input values; failures come back as errors all the same.
    logSeverityLevel: 4,
    extra: {
      session: {
        intra_op: { allow_spinning: spin },
        inter_op: { allow_spinning: spin },
        // Else what the device has no operator for runs on the CPU, and nobody is told.
        disable_cpu_ep_fallback: device.cpuToo ? '0' : '1',
      },
    },
  };
}
