import { buildInferResponse } from '@sluice/inference/infer-response';
import { expect, test } from 'vitest';
import { wrongAnswer } from './checker.ts';

const answer = (values: number[]): Buffer =>
  buildInferResponse({
    modelName: 'digits',
    modelVersion: '1',
    id: '',
    outputs: [
      {
        name: 'y',
        datatype: 'FP32',
        shape: [1, values.length],
        data: new Uint8Array(Float32Array.from(values).buffer),
      },
    ],
  });
const expected = {
  model: 'digits',
  version: '1',
  output: 'y',
  shape: [1, 2],
  answers: [Float32Array.of(1, 0), Float32Array.of(2, 0)],
};
const check = { message: Buffer.from('sent'), expected };

test('an answer must have the bytes of one of ONNX Runtime, and the value that has not is named', () => {
  expect(wrongAnswer(check, answer([1, 0]))).toBeUndefined();
  expect(wrongAnswer(check, answer([2, 0]))).toBeUndefined();
  expect(wrongAnswer(check, answer([3, 0]))).toBe("value 0 is 3, ONNX Runtime's own is 1");
  expect(wrongAnswer(check, answer([1, -0]))).toContain('value 1 is');
  expect(wrongAnswer(check, answer([1, NaN]))).toContain('value 1 is NaN');
});

test('an answer of another version, output, shape or size is wrong', () => {
  const of = (changes: object) => wrongAnswer({ ...check, expected: { ...expected, ...changes } }, answer([1, 0]));
  expect(of({ version: '2' })).toBe(
    'the answer is of digits version 1: FP32 [1,2], expected digits version 2: FP32 [1,2]',
  );
  expect(of({ output: 'z' })).toBe('the answer has no output z');
  expect(of({ shape: [2, 1] })).toContain('expected digits version 1: FP32 [2,1]');
  expect(of({ answers: [Float32Array.of(1, 0, 0)] })).toBe("the answer has 8 bytes, ONNX Runtime's own 12");
});

test('an echo must be what was sent, byte by byte', () => {
  const echo = { message: Buffer.from('sent'), expected: undefined };
  expect(wrongAnswer(echo, Buffer.from('sent'))).toBeUndefined();
  expect(wrongAnswer(echo, Buffer.from('Sent'))).toBe('the echo is not what was sent');
});

test('a server that answers always the same must answer these bytes', () => {
  const exact = { message: Buffer.from('sent'), expected: Buffer.from('read') };
  expect(wrongAnswer(exact, Buffer.from('read'))).toBeUndefined();
  expect(wrongAnswer(exact, Buffer.from('sent'))).toBe('the answer is 73656e74');
});
