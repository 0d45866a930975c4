import { attribute, graph, model, node, tensor, value } from './onnx-builder.ts';

/**
 * A graph that goes round a loop as often as its input `trips` (INT64, a scalar) says, some microseconds a trip: a run that
 * takes as long as a test wants it to, or never ends. Its output is `y`, FP32.
 */
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

/** More trips than anybody waits for. */
export const endlessTrips = 1_000_000_000_000n;
