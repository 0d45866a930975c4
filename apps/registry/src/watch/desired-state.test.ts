import { defaultCapture } from '@sluice/domain/capture';
import { describe, expect, it } from 'vitest';
import type { ModelState } from './desired-state.ts';
import { emptyState, leftSince, updateSince, withModels } from './desired-state.ts';

const model = (name: string, changedRevision: number, left: ModelState['left'] = []): ModelState => ({
  model: name,
  changedRevision,
  aliases: [],
  release: undefined,
  placed: [],
  quarantined: [],
  unplaced: [],
  keepsSequences: false,
  capture: defaultCapture,
  left,
});
const names = (models: readonly ModelState[]): readonly string[] => models.map((entry) => entry.model);

const state = withModels(emptyState, [model('a', 3), model('b', 7), model('c', 5)]);

describe('the desired state', () => {
  it('has the last change as its token', () => {
    expect(state.token).toBe(7);
    expect(withModels(state, [model('a', 9)]).token).toBe(9);
    expect(state.token).toBe(7);
  });

  it('gives a snapshot to a watcher that has nothing or a token from a later database', () => {
    for (const token of [0, 8]) {
      const update = updateSince(state, token);
      expect([update.snapshot, update.token, names(update.models).toSorted()]).toEqual([true, 7, ['a', 'b', 'c']]);
    }
  });

  it('gives only what changed since, and nothing at the token itself', () => {
    expect(names(updateSince(state, 4).models)).toEqual(['b', 'c']);
    expect(names(updateSince(state, 5).models)).toEqual(['b']);
    expect(updateSince(state, 7)).toEqual({ token: 7, snapshot: false, models: [] });
    expect(names(updateSince(state, 1).models)).toEqual(['b', 'c', 'a']);
  });

  it('gives a snapshot to a watcher whose token may be of a history that a restore took away', () => {
    const restored = { ...state, floor: 5 };
    expect([4, 5, 6].map((token) => updateSince(restored, token).snapshot)).toEqual([true, true, false]);
    expect(withModels(restored, [model('d', 9)]).floor).toBe(5);
  });

  it('names the versions that left the placement since, not those before', () => {
    const left = [
      { version: 1, revision: 4 },
      { version: 2, revision: 9 },
    ];
    const next = withModels(state, [model('a', 9, left)]);
    expect(leftSince(updateSince(next, 4), 4)).toEqual([{ model: 'a', version: 2 }]);
    expect(leftSince(updateSince(next, 3), 3)).toEqual([
      { model: 'a', version: 1 },
      { model: 'a', version: 2 },
    ]);
    expect(leftSince(updateSince(next, 0), 0)).toEqual([]);
  });
});
