import { GraphBuilder } from './graph-builder.ts';

/** A perceptron with ReLU between its layers: input `x` [batch, layers[0]], output `y` [batch, last]. */
export function buildPerceptron(layers: readonly number[], seed: number): Buffer {
  const graph = new GraphBuilder('perceptron', seed);
  let value = graph.input('x', ['batch', layers[0]!]);
  for (let i = 1; i < layers.length; i++) {
    const [from, to] = [layers[i - 1]!, layers[i]!];
    const last = i === layers.length - 1;
    value = graph.node(
      'Gemm',
      [value, graph.weights([from, to], from), graph.weights([to], 100)],
      {},
      last ? 'y' : undefined,
    );
    if (!last) value = graph.node('Relu', [value]);
  }
  graph.output('y', ['batch', layers.at(-1)!]);
  return graph.finish();
}

/** A 3x3 convolution with ReLU. */
interface ConvLayer {
  readonly channels: number;
  readonly stride: 1 | 2;
}

/** A convolutional net: input `x` [batch, 3, side, side], output `y` [batch, classes]. */
export function buildConvNet(side: number, layers: readonly ConvLayer[], classes: number, seed: number): Buffer {
  const graph = new GraphBuilder('convnet', seed);
  let value = graph.input('x', ['batch', 3, side, side]);
  let channels = 3;
  for (const layer of layers) {
    const weights = graph.weights([layer.channels, channels, 3, 3], channels * 9);
    const convolution = graph.node('Conv', [value, weights, graph.weights([layer.channels], 100)], {
      kernel_shape: [3, 3],
      pads: [1, 1, 1, 1],
      strides: [layer.stride, layer.stride],
    });
    value = graph.node('Relu', [convolution]);
    channels = layer.channels;
  }
  value = graph.node('Flatten', [graph.node('GlobalAveragePool', [value])], { axis: 1 });
  graph.node('Gemm', [value, graph.weights([channels, classes], channels), graph.weights([classes], 100)], {}, 'y');
  graph.output('y', ['batch', classes]);
  return graph.finish();
}

/** A model that does next to nothing: input `x` [batch, elements], output `y` [batch, 1], the mean of each row. */
export function buildAverage(elements: number): Buffer {
  const graph = new GraphBuilder('average', 0);
  graph.node('ReduceMean', [graph.input('x', ['batch', elements])], { axes: [1], keepdims: 1 }, 'y');
  graph.output('y', ['batch', 1]);
  return graph.finish();
}

/** The large perceptron of the bench: 100 MB of weights. */
export const buildLargePerceptron = (): Buffer => buildPerceptron([1024, 4096, 4096, 1000], 1);

/** The convolutional net of the bench: about 10 ms a row on one core of a server of 2024. */
export const buildBenchConvNet = (): Buffer =>
  buildConvNet(
    64,
    [
      { channels: 64, stride: 1 },
      { channels: 64, stride: 1 },
      { channels: 128, stride: 2 },
      { channels: 128, stride: 1 },
      { channels: 128, stride: 1 },
      { channels: 128, stride: 1 },
      { channels: 256, stride: 2 },
      { channels: 256, stride: 1 },
      { channels: 256, stride: 1 },
      { channels: 256, stride: 1 },
    ],
    100,
    2,
  );
