import { describe, expect, it } from 'vitest';
import { decodeTask } from './decode-version.ts';

const task = (value: unknown) => decodeTask(JSON.stringify({ task: value }));

describe('the task of a version', () => {
  it('is read as registries write it', () => {
    expect(task({ kind: 'regression', prediction: 'y' })).toEqual({ kind: 'regression', prediction: 'y' });
    expect(task({ kind: 'classification', prediction: 'p', class_from: 'argmax', class_names: ['a', 'b'] })).toEqual({
      ...{ kind: 'classification', prediction: 'p', classFrom: 'argmax', threshold: undefined },
      ...{ classNames: ['a', 'b'], positiveClass: '' },
    });
    expect(
      task({ kind: 'classification', prediction: 'p', class_from: 'threshold', threshold: 0.4, positive_class: 'b' }),
    ).toMatchObject({ threshold: 0.4, positiveClass: 'b', classNames: [] });
  });

  it('is none where nothing is known of it', () => {
    for (const value of [undefined, { kind: 'none' }, { kind: 'ranking', prediction: 'p' }, { kind: 'regression' }])
      expect(task(value)).toEqual({ kind: 'none' });
    expect(task({ kind: 'classification', prediction: 'p', class_from: 'dice' })).toEqual({ kind: 'none' });
    for (const json of ['', '{', '7', 'null']) expect(decodeTask(json)).toEqual({ kind: 'none' });
  });
});
