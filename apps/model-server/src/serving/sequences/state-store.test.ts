import { describe, expect, it } from 'vitest';
import { StateStore } from './state-store.ts';

const store = () =>
  new StateStore([
    { inputName: 'A', outputName: 'A2', datatype: 'INT32', dims: [2], initialBase64: '' },
    { inputName: 'B', outputName: 'B2', datatype: 'UINT8', dims: [], initialBase64: 'BQ==' },
  ]);

describe('states', () => {
  it('begin with their data, or zeros', () => {
    const states = store();
    expect([...states.initial(0)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...states.initial(1)]).toEqual([5]);
    expect(states.sizes).toEqual([8, 1]);
  });

  it('are kept by slot, as copies, and what they take is counted', () => {
    const states = store();
    const left = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    states.keep(3, 0, left);
    states.keep(3, 1, Uint8Array.of(9));
    states.keep(0, 1, Uint8Array.of(1));
    left.fill(0);
    expect([[...states.of(3, 0)], [...states.of(3, 1)], [...states.of(0, 1)]]).toEqual([
      [1, 2, 3, 4, 5, 6, 7, 8],
      [9],
      [1],
    ]);
    expect(states.bytes).toBe(18);
    states.keep(3, 1, Uint8Array.of(7));
    expect([states.bytes, [...states.of(3, 1)], [...states.initial(1)]]).toEqual([18, [7], [5]]);
  });
});
