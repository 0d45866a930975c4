import { invalidArgument } from './errors.ts';

// What Postgres refuses in text and jsonb, and UTF-8 cannot carry.
const nul = '\u0000';

/** Why text cannot be stored; undefined when it can. */
export function textProblem(text: string): string | undefined {
  if (text.includes(nul)) return 'has a NUL character (U+0000)';
  return text.isWellFormed() ? undefined : 'has half of a surrogate pair, which is not valid Unicode';
}

/** Refuses text from outside that cannot be stored, naming its field. */
export function checkText(text: string, field: string): string {
  const problem = textProblem(text);
  if (problem) throw invalidArgument(`${field}: the text ${problem}; expected valid Unicode without NUL`);
  return text;
}

/** Text that is worth keeping whatever is in it, such as another program's message: what cannot be stored becomes U+FFFD. */
export function storableText(text: string): string {
  return text.replaceAll(nul, '\uFFFD').toWellFormed();
}

/** The first `max` UTF-16 units of a text or one less, so that no character is cut in half. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 1);
  return text.slice(0, last >= 0xd800 && last <= 0xdbff ? max - 1 : max);
}
