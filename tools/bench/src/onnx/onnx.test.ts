import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { buildAverage, buildConvNet, buildPerceptron } from './bench-models.ts';
import { seededUniform } from './graph-builder.ts';
import { ProtoWriter } from './proto-writer.ts';

describe('the protobuf writer', () => {
  test('varints, strings, bytes and messages have the published encodings', () => {
    // The examples of the protobuf documentation: 150 in field 1, "testing" in field 2, a message in field 3.
    const inner = new ProtoWriter().int(1, 150);
    const message = new ProtoWriter().int(1, 150).string(2, 'testing').message(3, inner).bytes(4, Uint8Array.of(0xff));
    expect(message.finish().toString('hex')).toBe('089601120774657374696e671a03089601' + '2201ff');
  });

  test('a number beyond 32 bits keeps its high bits', () => {
    expect(
      new ProtoWriter()
        .int(1, 2 ** 40)
        .finish()
        .toString('hex'),
    ).toBe('08808080808020');
  });
});

describe('the models of the bench', () => {
  test('weights come from the seed alone', () => {
    expect(buildPerceptron([4, 3], 1).equals(buildPerceptron([4, 3], 1))).toBe(true);
    expect(buildPerceptron([4, 3], 1).equals(buildPerceptron([4, 3], 2))).toBe(false);
    const uniform = seededUniform(7);
    const values = Array.from({ length: 10_000 }, uniform);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    expect(values.reduce((sum, value) => sum + value, 0) / values.length).toBeCloseTo(0.5, 1);
  });

  test('ONNX Runtime runs the perceptron, rows independent of each other', async () => {
    const session = await InferenceSession.create(buildPerceptron([8, 16, 16, 5], 3));
    const rows = Float32Array.from({ length: 16 }, seededUniform(1));
    const both = (await session.run({ x: new Tensor('float32', rows, [2, 8]) }))['y']!;
    const second = (await session.run({ x: new Tensor('float32', rows.slice(8), [1, 8]) }))['y']!;
    expect(both.dims).toEqual([2, 5]);
    const values = Array.from(both.data as Float32Array);
    expect(values.some((value) => Math.abs(value) > 0.01)).toBe(true);
    for (const [index, value] of Array.from(second.data as Float32Array).entries()) {
      expect(values[5 + index]).toBeCloseTo(value, 5);
    }
  });

  test('ONNX Runtime runs the convolutional net', async () => {
    const layers = [
      { channels: 4, stride: 1 },
      { channels: 8, stride: 2 },
    ] as const;
    const session = await InferenceSession.create(buildConvNet(8, layers, 6, 3));
    const rows = Float32Array.from({ length: 2 * 3 * 8 * 8 }, seededUniform(1));
    const result = (await session.run({ x: new Tensor('float32', rows, [2, 3, 8, 8]) }))['y']!;
    expect(result.dims).toEqual([2, 6]);
    expect(Array.from(result.data as Float32Array).every(Number.isFinite)).toBe(true);
  });

  test('ONNX Runtime averages each row', async () => {
    const session = await InferenceSession.create(buildAverage(4));
    const rows = Float32Array.of(1, 2, 3, 4, -1, 0, 0, 5);
    const { dims, data } = (await session.run({ x: new Tensor('float32', rows, [2, 4]) }))['y']!;
    expect([dims, data]).toEqual([[2, 1], Float32Array.of(2.5, 1)]);
  });
});
