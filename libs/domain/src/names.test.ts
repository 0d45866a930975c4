import { describe, expect, it } from 'vitest';
import { checkAliasName, checkModelName, parseVersionRef } from './names.ts';

describe('names', () => {
  it.each(['digits', 'team/digits', 'a', 'a-b_c.d/0'])('takes the model name %s', (name) => {
    expect(checkModelName(name)).toBe(name);
  });

  it.each(['', '/', 'a/', '../x', 'a..b', 'Digits', 'a b', 'a/b/c/d/e', 'x'.repeat(201), '.a', 'a.'])(
    'refuses the model name %j and says which field it is',
    (name) => {
      expect(() => checkModelName(name)).toThrow(/^model: /);
    },
  );

  it('keeps aliases apart from numbers', () => {
    expect(parseVersionRef('')).toEqual({ kind: 'release' });
    expect(parseVersionRef('12')).toEqual({ kind: 'number', number: 12 });
    expect(parseVersionRef('champion')).toEqual({ kind: 'alias', alias: 'champion' });
    expect(() => parseVersionRef('0')).toThrow(/neither a version number nor an alias/);
    expect(() => parseVersionRef('1x')).toThrow(/neither/);
    expect(() => checkAliasName('1st')).toThrow(/^alias: /);
  });
});
