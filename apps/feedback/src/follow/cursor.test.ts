import { describe, expect, it } from 'vitest';
import type { Cursor } from './cursor.ts';
import { cursorText, readCursor } from './cursor.ts';
import { beforeTransaction } from './position.ts';

const history = { id: '0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b', system: '7713376907330846869', timeline: 1 };
const cursor: Cursor = {
  ...{ history, losses: 3 },
  position: { transaction: 18_446_744_073_709_551_615n, table: 2, key: ['short', 'id', '0', 'ünïcode "x"', 'ab'] },
};

describe('the text of a cursor', () => {
  it('has all of it, in letters that need no escape', () => {
    for (const each of [cursor, { ...cursor, position: beforeTransaction(5n) }]) {
      const text = cursorText(each);
      expect(text).toMatch(/^[\w-]+$/);
      expect(readCursor(text)).toEqual(each);
    }
  });

  it('is refused when any of its letters is another one, is missing, or is one too many', () => {
    const text = cursorText(cursor);
    for (let at = 0; at < text.length; at++) {
      const other = text[at] === 'A' ? 'B' : 'A';
      expect(() => readCursor(text.slice(0, at) + other + text.slice(at + 1))).toThrow(/^cursor: /);
      expect(() => readCursor(text.slice(0, at))).toThrow(/^cursor: /);
      expect(() => readCursor(`${text.slice(0, at)}=${text.slice(at)}`)).toThrow(/^cursor: /);
    }
    expect(() => readCursor('x'.repeat(100_000))).toThrow(/is not one that Subscribe gave/);
  });

  it('names its version to whoever reads another one', () => {
    const bytes = Buffer.from(cursorText(cursor), 'base64url');
    bytes[0] = 2;
    expect(() => readCursor(bytes.toString('base64url'))).toThrow(/cursor: its version is 2, this software reads 1/);
  });

  it('is refused when its key is of no table', () => {
    for (const position of [
      { transaction: 1n, table: 4, key: ['a'] },
      { transaction: 1n, table: 0, key: ['a', 'b', 'c'] },
      { transaction: 1n, table: -1, key: ['a'] },
    ])
      expect(() => readCursor(cursorText({ ...cursor, position }))).toThrow(/is not one that Subscribe gave/);
  });
});
