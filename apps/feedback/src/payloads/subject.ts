import { maxTextBytes } from '@sluice/evidence/layout';

/** A text that was cut off at the end of a character has more. */
const longest = maxTextBytes - 4;

/**
 * Whether payloads can be kept under this subject. Where its text was cut off, or is not what the caller said (U+FFFD stands for
 * what was no text), two people may have become one: such a subject cannot be erased, so nothing of it is kept that would have to be.
 */
export function isReadableSubject(subject: string): boolean {
  return !/[\0\uFFFD]/.test(subject) && subject.isWellFormed() && Buffer.byteLength(subject) <= longest;
}
