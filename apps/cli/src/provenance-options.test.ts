import { describe, expect, it } from 'vitest';
import { columns, dataSetOrNewest, dataSetRefs, versionRefs } from './provenance-options.ts';

describe('references', () => {
  it('are added to each other', () => {
    expect(dataSetRefs('digits/train@3', dataSetRefs('raw@1'))).toEqual([
      { dataSet: 'raw', version: 1 },
      { dataSet: 'digits/train', version: 3 },
    ]);
    expect(versionRefs('team/digits:3', versionRefs('a:1'))).toEqual([
      { model: 'a', version: 1 },
      { model: 'team/digits', version: 3 },
    ]);
    expect(dataSetOrNewest('raw')).toEqual({ dataSet: 'raw', version: 0 });
    expect(dataSetOrNewest('raw@2')).toEqual({ dataSet: 'raw', version: 2 });
  });

  it.each(['raw', 'raw@', '@1', 'raw@0', 'raw@01', 'raw@x', 'raw@1@2'])('of data sets are not "%s"', (text) => {
    expect(() => dataSetRefs(text)).toThrow(/^Expected NAME@N/);
  });

  it.each(['a', 'a:', ':1', 'a:0', 'a:champion', 'a:1:2'])('of versions are not "%s"', (text) => {
    expect(() => versionRefs(text)).toThrow(/^Expected MODEL:N/);
  });

  it('columns have types or not', () => {
    expect(columns('p0:FP32, label,a:b:BYTES')).toEqual([
      { name: 'p0', type: 'FP32' },
      { name: 'label', type: '' },
      { name: 'a:b', type: 'BYTES' },
    ]);
  });
});
