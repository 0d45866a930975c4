import { describe, expect, it } from 'vitest';
import type { VersionState } from '../versions/version-state.ts';
import { versionStates } from '../versions/version-state.ts';
import { repositoryIndex } from './repository-index.ts';

const signature = { inputs: [], outputs: [], batched: false };
const version = (model: string, number: number, state: VersionState, reason = '') => ({
  state,
  reason,
  assignment: { model, version: number, signature, digest: '', files: [], graphPath: '', aliases: [] } as never,
});
const all = { repositoryName: '', ready: false };
const states = (...versions: ReturnType<typeof version>[]) =>
  repositoryIndex(all, versions, []).models!.map((each) => each.state);

describe('repositoryIndex', () => {
  it('has Triton’s word for every state', () => {
    expect(states(...versionStates.map((state, index) => version('m', index, state)))).toEqual([
      'LOADING',
      'LOADING',
      'LOADING',
      'LOADING',
      'READY',
      'UNLOADING',
      'UNAVAILABLE',
      'UNLOADING',
      'UNLOADING',
      'UNAVAILABLE',
    ]);
  });

  it('is in the order of names and numbers, and has a version that is loaded again once', () => {
    const placed = [version('b', 10, 'ready'), version('b', 9, 'failed', 'no disk'), version('a', 1, 'loading')];
    const leaving = [version('b', 9, 'draining'), version('a', 2, 'draining')];
    const index = repositoryIndex(all, placed, leaving);
    expect(index.models).toEqual([
      { name: 'a', version: '1', state: 'LOADING', reason: '' },
      { name: 'a', version: '2', state: 'UNLOADING', reason: '' },
      { name: 'b', version: '9', state: 'UNAVAILABLE', reason: 'no disk' },
      { name: 'b', version: '10', state: 'READY', reason: '' },
    ]);
    expect(repositoryIndex({ ...all, ready: true }, placed, leaving).models).toEqual([index.models![3]]);
  });
});
