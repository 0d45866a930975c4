import { buildInferResponse } from '@sluice/inference/infer-response';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { encodeTensor } from '@sluice/inference/tensor-data';
import type { Given } from './evidence.ts';
import { startTestRegistry } from './registry.ts';

export const digest = 'd'.repeat(64);
const signature = (datatype: string) => ({
  inputs: [
    { name: 'person', datatype, shape: [-1, 2], features: ['age', 'income'].map((name) => ({ name })) },
    { name: 'note', datatype: 'BYTES', shape: [-1], features: [] },
    { name: 'grid', datatype: 'INT64', shape: [-1, 2, 2], features: [] },
  ],
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2], classNames: ['no', 'yes'] }],
  batched: true,
});
const task = { kind: 'classification', prediction: 'scores', class_from: 'argmax', class_names: ['no', 'yes'] };

const lengthOf = (octets: Uint8Array): Uint8Array => new Uint8Array(Uint32Array.of(octets.length).buffer);

/** A request of these ages, and its answer: `yes` from 50 on. */
export const payloads = (ages: readonly number[], note: string | Uint8Array = 'a "note",\nof two lines'): Given => {
  const rows = ages.length;
  const octets = Buffer.from(note);
  const request = buildInferRequest({
    modelName: 'credit',
    inputs: [
      {
        name: 'person',
        datatype: 'FP32',
        shape: [rows, 2],
        data: encodeTensor(
          'FP32',
          ages.flatMap((age) => [age, age * 1000 + 0.5]),
        ),
      },
      {
        name: 'note',
        datatype: 'BYTES',
        shape: [rows],
        data: Buffer.concat(ages.flatMap(() => [lengthOf(octets), octets])),
      },
      {
        name: 'grid',
        datatype: 'INT64',
        shape: [rows, 2, 2],
        data: encodeTensor(
          'INT64',
          ages.flatMap((age) => [1n, 2n, 3n, BigInt(age) + 2n ** 60n]),
        ),
      },
    ],
  });
  const response = buildInferResponse({
    ...{ modelName: 'credit', modelVersion: '3', id: '' },
    outputs: [
      {
        ...{ name: 'scores', datatype: 'FP32', shape: [rows, 2] },
        data: encodeTensor(
          'FP32',
          ages.flatMap((age) => (age < 50 ? [0.75, 0.25] : [0.25, 0.75])),
        ),
      },
    ],
  });
  return { rows, requestState: 'captured', request, responseState: 'captured', response: [response] };
};

/** A registry that knows versions 1 to 4 of any model; of version 4 ages are of another datatype. */
export const creditRegistry = () =>
  startTestRegistry({
    version: (model, number) =>
      number > 4
        ? undefined
        : {
            ...{ model, number, digest, revision: 1, manifestJson: JSON.stringify({ task }) },
            signature: signature(number === 4 ? 'FP64' : 'FP32'),
          },
    model: (name) => ({ model: { name, settings: null }, release: null }),
  });
