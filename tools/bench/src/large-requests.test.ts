import { expect, test } from 'vitest';
import { asRead, largePlan, shortAnswer } from './large-requests.ts';

test('a server that only reads must say how much it has read', () => {
  const [small, large] = [Buffer.alloc(3), Buffer.alloc(342)];
  const workload = {
    ...{ plan: largePlan, version: '1', modelFile: 'm.onnx', frameFile: 'm.frame', frameBytes: 347 },
    checks: [
      { message: small, expected: undefined },
      { message: large, expected: undefined },
    ],
  };
  expect(asRead(workload).checks).toEqual([
    { message: small, expected: shortAnswer(3) },
    { message: large, expected: shortAnswer(342) },
  ]);
  expect(shortAnswer(342).readUInt32BE()).toBe(342);
  expect(shortAnswer(3)).not.toEqual(shortAnswer(342));
});
