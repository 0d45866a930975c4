import { describe, expect, it } from 'vitest';
import { pageSize, pageToken, readPageToken } from './page.ts';

describe('pages', () => {
  it('have 100 entries unless told otherwise, and never over 1,000', () => {
    expect([pageSize(0), pageSize(7), pageSize(1000)]).toEqual([100, 7, 1000]);
    expect(() => pageSize(1001)).toThrow(/^page_size/);
  });

  it('have tokens that give back what they stand for', () => {
    expect(readPageToken(pageToken('team/digits'), '')).toBe('team/digits');
    expect(readPageToken(pageToken(17), 0)).toBe(17);
    expect(readPageToken('', 'a')).toBe('a');
  });

  it.each(['?', 'bm90anNvbg', pageToken(3), pageToken('a\u0000')])('refuse the foreign token %s', (token) => {
    expect(() => readPageToken(token, '')).toThrow(/^page_token/);
  });

  it('refuse numbers that are none of a version', () => {
    for (const token of [pageToken(1e300), pageToken(0.5)])
      expect(() => readPageToken(token, 0)).toThrow(/^page_token/);
  });
});
