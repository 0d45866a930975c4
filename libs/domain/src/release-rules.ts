import { invalidArgument } from './errors.ts';
import { clip } from './names.ts';
import type { ArmRole, Rule } from './release.ts';

export const mostRules = 64;
const longestKey = 128;
const longestValue = 256;

/** Throws `invalid-argument` naming the rule and field that is wrong. */
export function checkRules(
  rules: readonly Rule[],
  arms: readonly { readonly name: string; readonly role: ArmRole }[],
): void {
  if (rules.length > mostRules) throw invalidArgument(`rules: ${rules.length} given; expected at most ${mostRules}`);
  const ids = new Set<string>();
  const answering = arms.filter(({ role }) => role !== 'shadow').map(({ name }) => name);
  for (const [index, rule] of rules.entries()) {
    const field = `rules[${index}]`;
    if (!/^[\w.-]{1,64}$/.test(rule.id)) {
      throw invalidArgument(
        `${field}.id: "${clip(rule.id)}" given; expected 1 to 64 of letters, digits, '.', '_' or '-'`,
      );
    }
    if (ids.has(rule.id)) throw invalidArgument(`${field}.id: "${rule.id}" is given twice`);
    ids.add(rule.id);
    checkKey(rule.metadataKey, `${field}.metadata_key`);
    checkValue(rule.equals, `${field}.equals`);
    if (!answering.includes(rule.arm)) {
      const isShadow = arms.some(({ name }) => name === rule.arm);
      const problem = isShadow ? 'is a shadow, which never answers' : 'is none of the arms';
      throw invalidArgument(`${field}.arm: "${clip(rule.arm)}" ${problem}; expected ${answering.join(', ')}`);
    }
  }
}

/** What clients may send as text of their own: Sluice's keys say other things, and `-bin` is for bytes. */
function checkKey(key: string, field: string): void {
  if (!/^[0-9a-z_.-]+$/.test(key) || key.length > longestKey) {
    throw invalidArgument(
      `${field}: "${clip(key)}" is no metadata key; expected 1 to ${longestKey} of a-z, 0-9, '_', '.' or '-'`,
    );
  }
  if (key.startsWith('sluice-') || key.startsWith('grpc-')) {
    throw invalidArgument(`${field}: "${key}" is reserved: keys with sluice- and grpc- have meanings of their own`);
  }
  if (key.endsWith('-bin')) throw invalidArgument(`${field}: "${key}" ends with -bin and carries bytes, not text`);
}

/** As it arrives: printable ASCII, and HTTP takes blanks off its ends. */
function checkValue(value: string, field: string): void {
  if (/^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/.test(value) && value.length <= longestValue) return;
  throw invalidArgument(
    `${field}: "${clip(value)}" given; expected 1 to ${longestValue} printable ASCII characters without blanks at its ends`,
  );
}
