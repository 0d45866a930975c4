import { invalidArgument } from '@sluice/domain/errors';
import { canonicalJson } from '../audit/canonical-json.ts';

const maxDepth = 32;

/**
 * Reads the text of a JSON object from outside; '' is an empty one. Errors: `invalid-argument` naming the field for what
 * is no JSON object, longer than `maxLength` UTF-16 units or deeper than 32.
 */
export function parseJsonObject(text: string, field: string, maxLength: number): Readonly<Record<string, unknown>> {
  if (text === '') return {};
  if (text.length > maxLength) throw invalidArgument(`${field}: ${text.length} characters given; at most ${maxLength}`);
  // Before anything walks the value, which takes a call for each level.
  if (depthOf(text) > maxDepth) throw invalidArgument(`${field}: nested deeper than ${maxDepth}`);
  const value = parse(text, field);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalidArgument(`${field}: expected a JSON object, such as {"count": 1}`);
  try {
    canonicalJson(value);
  } catch (error) {
    throw invalidArgument(`${field}: ${(error as Error).message}`);
  }
  return value as Record<string, unknown>;
}

function parse(text: string, field: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalidArgument(`${field}: is not JSON: ${(error as Error).message}`);
  }
}

/** How deep the brackets of a JSON text go; what stands in its strings does not count. */
function depthOf(text: string): number {
  let [depth, deepest, quoted] = [0, 0, false];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (quoted && char === '\\') at += 1;
    else if (char === '"') quoted = !quoted;
    else if (quoted) continue;
    else if (char === '{' || char === '[') deepest = Math.max(deepest, (depth += 1));
    else if (char === '}' || char === ']') depth -= 1;
  }
  return deepest;
}
