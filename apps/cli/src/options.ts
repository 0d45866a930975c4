import { InvalidArgumentError } from 'commander';

/** A whole number of at least `least`. */
export const whole =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || !Number.isSafeInteger(value)) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}.`);
    }
    return value;
  };

/** A plain decimal from 0 on, such as `0.25`: no exponent, no other base. NaN for anything else. */
export const decimal = (text: string): number => (/^(\d+(\.\d*)?|\.\d+)$/.test(text) ? Number(text) : Number.NaN);

/** A number above 0. */
export function positive(text: string): number {
  const value = decimal(text);
  if (!(value > 0 && Number.isFinite(value))) throw new InvalidArgumentError('Expected a number above 0.');
  return value;
}

/** A revision as the registry gives it. */
export function revision(text: string): string {
  if (!/^\d{1,20}$/.test(text) || !Number.isSafeInteger(Number(text))) {
    throw new InvalidArgumentError(`Expected a revision: a whole number of at most ${Number.MAX_SAFE_INTEGER}.`);
  }
  return text;
}

/** Names with commas between them. */
export const list = (text: string): readonly string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean);
