import { buildAverage } from './onnx/bench-models.ts';
import type { Workload, WorkloadPlan } from './workloads.ts';

/** Octets of tensor of a request. */
const tensorOctets = 600_000;
const elements = tensorOctets / Float32Array.BYTES_PER_ELEMENT;

/** On four connections: enough that the next request is on its way while one is worked on. */
export const largeInFlight = 16;

/** About as many as the model-server's answer has. */
const shortAnswerOctets = 64;

/** Large requests into a model that does next to nothing with them: what is left is reading them. */
export const largePlan: WorkloadPlan = {
  name: 'average',
  model: 'bench-average',
  input: 'x',
  rowShape: [elements],
  largest: 1,
  maxBatchSize: 8,
  rawBatches: [1],
  graph: { build: () => buildAverage(elements) },
};

/** What a server that only reads answers to a request of so many octets: how many it has read, and nothing. */
export function shortAnswer(octets: number): Buffer {
  const answer = Buffer.alloc(shortAnswerOctets);
  answer.writeUInt32BE(octets);
  return answer;
}

/** The same requests for a server that only reads them. */
export const asRead = (workload: Workload): Workload => ({
  ...workload,
  checks: workload.checks.map(({ message }) => ({ message, expected: shortAnswer(message.length) })),
});
