import { describe, expect, it } from 'vitest';
import type { Datatype } from '@sluice/domain/datatype';
import type { Value } from '@sluice/tabular/schema';
import { buildInferResponse } from '@sluice/inference/infer-response';
import type { RegistryVersion } from '../versions/registry-version.ts';
import { payloadColumns } from './columns.ts';
import { recordCells } from './payload-cells.ts';

const nothing = { state: 'off', bytes: undefined } as const;

/** Cells of the first row, of a version with one output and no task, or a regression. */
function cellsOf(datatype: Datatype, data: Uint8Array, task: RegistryVersion['task'] = { kind: 'none' }) {
  const version: RegistryVersion = {
    ...{ model: 'm', number: 1, digest: '', revision: 0, task },
    signature: {
      ...{ inputs: [], batched: false },
      outputs: [{ name: 'y', datatype, shape: [], dimNames: [], features: [] }],
    },
  };
  const { columns, layouts } = payloadColumns([version]);
  const bytes = buildInferResponse({
    ...{ modelName: 'm', modelVersion: '1', id: '' },
    outputs: [{ name: 'y', datatype, shape: [], data }],
  });
  const payloads = { request: nothing, response: { state: 'captured', bytes }, rows: 1 } as const;
  const cells = recordCells(layouts[0], payloads, { name: 0, number: 1 });
  const row: Value[] = columns.map(() => null);
  cells.fill(row, 0);
  return { state: cells.output, input: cells.input, value: row.at(-1), predicted: row.slice(0, 2) };
}

const bytesOf = (...octets: number[]): Uint8Array => Uint8Array.of(octets.length, 0, 0, 0, ...octets);

describe('cells of payloads', () => {
  it.each<[Datatype, Uint8Array, Value]>([
    ['BOOL', Uint8Array.of(1), true],
    ['UINT64', new Uint8Array(BigUint64Array.of(2n ** 63n).buffer), 2 ** 63],
    ['INT64', new Uint8Array(BigInt64Array.of(-5n).buffer), -5n],
    ['FP64', new Uint8Array(Float64Array.of(0.1).buffer), 0.1],
    ['BYTES', bytesOf(0xc3, 0xa4), 'ä'],
  ])('have a value of %s', (datatype, data, value) => {
    expect(cellsOf(datatype, data)).toMatchObject({ state: 'captured', input: 'not-captured', value });
  });

  it('have none of octets that are no text', () => {
    expect(cellsOf('BYTES', bytesOf(0xff))).toMatchObject({ state: 'not-decodable', value: null });
  });

  it('have the number of a regression', () => {
    const data = new Uint8Array(Float64Array.of(2.5).buffer);
    expect(cellsOf('FP64', data, { kind: 'regression', prediction: 'y' }).predicted).toEqual([null, 2.5]);
  });

  it.each(['none', 'erased', 'off', 'too-large', 'not-redactable'] as const)(
    'say what became of one that is %s',
    (state) => {
      const payload = { state, bytes: undefined };
      const { input } = recordCells(
        undefined,
        { request: payload, response: payload, rows: 1 },
        { name: 0, number: 1 },
      );
      expect(input).toBe(state === 'none' || state === 'erased' ? state : 'not-captured');
    },
  );
});
