import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import type { RegistryVersion } from '../versions/registry-version.ts';
import { Chunks } from './chunks.ts';
import { payloadColumns, recordColumns, stateColumns } from './columns.ts';
import type { ExportedRecord } from './export.ts';
import { portions, rowSpans } from './portions.ts';

const tensor = (
  name: string,
  datatype: TensorSpec['datatype'],
  shape: number[],
  features: string[] = [],
): TensorSpec => ({
  ...{ name, datatype, shape, dimNames: shape.map(() => '') },
  features: features.map((each) => ({ name: each, nullable: false })),
});

const version = (number: number, signature: Partial<Signature>): RegistryVersion => ({
  ...{ model: 'm', number, digest: '', task: { kind: 'none' }, revision: 0 },
  signature: { inputs: [], outputs: [], batched: true, ...signature },
});

const own = recordColumns.length + stateColumns.length;
const namesOf = (...versions: RegistryVersion[]): string[] =>
  payloadColumns(versions)
    .columns.slice(own)
    .map(({ name, type, depth }) => `${name} ${type} ${depth}`);

describe('columns of payloads', () => {
  it('are features by name where the signature has one for each value, else a column of lists', () => {
    const inputs = [
      tensor('x', 'FP32', [-1, 2], ['age', 'income']),
      tensor('y', 'INT8', [-1, 3], ['a']),
      tensor('z', 'BYTES', [-1]),
      tensor('w', 'BOOL', [-1, 2, 2]),
      tensor('v', 'UINT64', [-1, 1]),
    ];
    const outputs = [tensor('age', 'FP64', [-1])];
    expect(namesOf(version(1, { inputs, outputs }))).toEqual([
      ...['input.age float 0', 'input.income float 0', 'input.y int64 1', 'input.z string 0', 'input.w bool 2'],
      ...['input.v double 1', 'output.age double 0'],
    ]);
    const whole = version(1, { inputs: [tensor('x', 'FP32', [2], ['age', 'income'])], batched: false });
    expect(namesOf(whole)).toEqual(['input.age float 0', 'input.income float 0']);
  });

  it('are those of all versions, of which one name is one column of one type', () => {
    const first = version(1, { inputs: [tensor('x', 'FP32', [-1, 1], ['age'])] });
    const second = version(2, { inputs: [tensor('n', 'FP16', [-1, 2], ['height', 'age'])] });
    expect(namesOf(first, second)).toEqual(['input.age float 0', 'input.height float 0']);
    expect(payloadColumns([first, second]).layouts[1]!.inputs[0]!.at).toEqual([own + 1, own]);
    const third = version(3, { inputs: [tensor('age', 'FP32', [-1, 1])] });
    expect(() => payloadColumns([first, third])).toThrow(
      /"input.age" is float in version 1 and list<float> in version 3/,
    );
  });

  it('have the names of their tensors too where features of one version are called the same', () => {
    const inputs = [tensor('x', 'FP32', [-1, 1], ['age']), tensor('y', 'FP32', [-1, 1], ['age'])];
    expect(namesOf(version(1, { inputs }))).toEqual(['input.x.age float 0', 'input.y.age float 0']);
    const hopeless = [tensor('x', 'FP32', [-1, 1], ['age']), tensor('x', 'FP32', [-1, 1], ['age'])];
    expect(() => payloadColumns([version(7, { inputs: hopeless })])).toThrow(
      /version 7 would have two columns "input.x.age"/,
    );
    const many = Array.from({ length: 5_000 }, (_, index) => tensor(`t${index}`, 'FP32', [-1, 1]));
    expect(() => payloadColumns([version(1, { inputs: many })])).toThrow(/5021 columns, and at most 4096/);
  });
});

describe('portions', () => {
  const record = (payloadBytes: number, rows: number) => ({ payloadBytes, rows }) as ExportedRecord;

  it('are bounded by the bytes and rows of their records, of which each is in one', () => {
    const sizes = (records: readonly ExportedRecord[]): number[] =>
      [...portions(records, { bytes: 10, rows: 5 })].map(({ length }) => length);
    expect(
      sizes([record(4, 1), record(6, 1), record(1, 1), record(50, 1), record(0, 4), record(0, 1), record(0, 9)]),
    ).toEqual([2, 1, 1, 2, 1]);
    expect(sizes([])).toEqual([]);
  });

  it('have spans of rows, more than one where a record is long', () => {
    expect([...rowSpans([record(0, 1), record(0, 7)], 3)]).toEqual([
      { from: 0, to: 3 },
      { from: 3, to: 6 },
      { from: 6, to: 9 },
    ]);
  });
});

describe('chunks', () => {
  it('are copies of at most 64 KiB, with the digest and length of all', () => {
    const chunks = new Chunks();
    const bytes = new Uint8Array(300_000).fill(7);
    const digest = createHash('sha256').update(bytes).digest('hex');
    chunks.sink(bytes);
    bytes.fill(0);
    const taken = chunks.take();
    expect(taken.map(({ length }) => length)).toEqual([65_536, 65_536, 65_536, 65_536, 37_856]);
    expect(new Set(taken.flatMap((each) => [...each]))).toEqual(new Set([7]));
    expect([chunks.take(), chunks.bytes, chunks.digest()]).toEqual([[], 300_000, digest]);
  });
});
