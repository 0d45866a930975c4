import { isCollection, isMap, isScalar, type Document, Lexer, type Scalar } from 'yaml';

/**
 * Most tokens: keys, values, brackets, commas and the space between. Reading takes microseconds for each, and nothing
 * else of the registry runs meanwhile; a hundred golden cases of 784 numbers have 240,000.
 */
export const maxTokens = 300_000;
/** Levels of maps and lists inside of each other; what walks through a value recurs this often at most. */
export const maxLevels = 100;

/** True when a text has more than `maxTokens`; stops reading there. */
export function hasTooManyTokens(source: string): boolean {
  let count = 0;
  for (const token of new Lexer().lex(source)) {
    count += token === '' ? 0 : 1;
    if (count > maxTokens) return true;
  }
  return false;
}

/** The name that a key has in the value: that of a number is its digits. */
export function keyName(key: Scalar): string {
  // All that the core schema makes of a plain scalar.
  const value = key.value as string | number | bigint | boolean | null;
  return value === null ? '' : String(value);
}

/**
 * Keys that their map has already. The parser's own check compares every key with all before it, which takes minutes
 * for a map of 100,000.
 */
export function* repeatedKeys(document: Document): Generator<Scalar, void, void> {
  const waiting: unknown[] = [document.contents];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (!isCollection(node)) continue;
    if (!isMap(node)) {
      for (const item of node.items) waiting.push(item);
      continue;
    }
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      waiting.push(key, value ?? null);
      if (!isScalar(key)) continue;
      const name = keyName(key);
      if (seen.has(name)) yield key;
      seen.add(name);
    }
  }
}
