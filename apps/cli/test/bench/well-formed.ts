import { expect } from 'vitest';

const voidStart = /^<!DOCTYPE html>\s*/;
const tag = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>/y;
const text = /[^<&]+|&(?:amp|lt|gt|quot|#39);/y;

/** Reads markup as strictly as XML: every element closed in its order, every attribute quoted, no stray `<` or `&`. */
export function expectWellFormed(markup: string): void {
  const open: string[] = [];
  const start = voidStart.exec(markup)?.[0].length ?? 0;
  for (let at = start; at < markup.length;) {
    tag.lastIndex = text.lastIndex = at;
    const found = tag.exec(markup);
    if (found === null) {
      const plain = text.exec(markup);
      expect(plain, `at ${at}: ${markup.slice(at, at + 60)}`).not.toBeNull();
      at = text.lastIndex;
      continue;
    }
    const [, closes, name, , isEmpty] = found;
    if (closes === '/') expect(open.pop(), `</${name!}> at ${at}`).toBe(name);
    else if (isEmpty !== '/') open.push(name!);
    at = tag.lastIndex;
  }
  expect(open).toEqual([]);
}
