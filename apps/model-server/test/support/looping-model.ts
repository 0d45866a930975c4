import { attribute, graph, model, node, tensor, value } from '@sluice/testkit/onnx-builder';

/** y = sin(sin(… x)), `trips` times: a graph that takes as long as a test wants it to (some microseconds a trip). */
export function loopingModel(trips: number): Uint8Array {
  const body = graph({
    name: 'body',
    nodes: [node('Identity', ['again'], ['more']), node('Sin', ['carried'], ['next'])],
    inputs: [value('i', 'INT64', []), value('again', 'BOOL', []), value('carried', 'FP32', ['batch', 1])],
    outputs: [value('more', 'BOOL', []), value('next', 'FP32', ['batch', 1])],
  });
  return model({
    graph: graph({
      nodes: [node('Loop', ['trips', 'go', 'x'], ['y'], [attribute.graph('body', body)])],
      inputs: [value('x', 'FP32', ['batch', 1])],
      outputs: [value('y', 'FP32', ['batch', 1])],
      initializers: [tensor('trips', 'INT64', [], [trips]), tensor('go', 'BOOL', [], [true])],
    }),
  });
}
