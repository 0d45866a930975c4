import { describe, expect, it } from 'vitest';
import { checkExpectedRevision } from './expected-revision.ts';

describe('an expected revision', () => {
  it('is checked only when it was given, and names the current one', () => {
    checkExpectedRevision('alias best', undefined, 7);
    checkExpectedRevision('alias best', 7, 7);
    checkExpectedRevision('alias best', 0, 0);
    expect(() => checkExpectedRevision('alias best', 6, 7)).toThrow(/alias best is at revision 7, not 6/);
    expect(() => checkExpectedRevision('alias best', 6, 0)).toThrow(/does not exist \(its current revision is 0\)/);
  });
});
