import { describe, expect, it } from 'vitest';
import { nextToLoad, type Candidate } from './load-order.ts';

const version = (key: string, more: Partial<Omit<Candidate, 'key'>> = {}): Candidate => ({
  ...{ key, state: 'assigned', hold: 'pin', assignment: { champion: false } },
  ...more,
});
const pinned = version('pinned');
const kept = version('kept', { hold: 'kept' });
const asked = version('asked');
const champion = version('champion', { hold: 'kept', assignment: { champion: true } });

const next = (versions: readonly Candidate[], struck: readonly Candidate[] = []): string | undefined =>
  nextToLoad(
    versions,
    (key) => key === 'asked',
    (one) => struck.includes(one),
  )?.key;

describe('the order of loads', () => {
  it('is champions, what requests wait for, what is kept, the rest as it was told', () => {
    expect(next([pinned, kept, asked, champion])).toBe('champion');
    expect(next([pinned, kept, asked])).toBe('asked');
    expect(next([pinned, kept])).toBe('kept');
    expect(next([version('first'), pinned])).toBe('first');
  });

  it('has what ended the runtime after everything else, whatever it is', () => {
    expect(next([champion, asked, pinned], [champion, asked])).toBe('pinned');
    expect(next([pinned, champion], [champion, pinned])).toBe('champion');
  });

  it('is of versions that are to be loaded alone', () => {
    expect(next([version('champion', { ...champion, state: 'loading' }), pinned])).toBe('pinned');
    expect(next([version('ready', { state: 'ready' })])).toBeUndefined();
    expect(next([])).toBeUndefined();
  });
});
