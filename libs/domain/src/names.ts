import { invalidArgument } from './errors.ts';
import { cutText } from './text.ts';

const segment = /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;
const alias = /^[a-z](?:[a-z0-9._-]{0,61}[a-z0-9])?$/;

/**
 * Checks a model name, or what is named like one: one to four segments of lower-case letters, digits, '.', '_' and '-', joined by '/', at most
 * 200 characters in all.
 *
 * @param what what it is, for the message
 */
export function checkModelName(name: string, field = 'model', what = 'a model name'): string {
  const segments = name.split('/');
  if (
    name.length > 200 ||
    segments.length > 4 ||
    !segments.every((part) => segment.test(part) && !part.includes('..'))
  ) {
    throw invalidArgument(
      `${field}: "${clip(name)}" is not ${what}; expected up to four parts of a-z, 0-9, '.', '_' or '-' joined by '/'`,
    );
  }
  return name;
}

/**
 * Checks an alias, or what is named like one: starts with a letter, so that it can never be read as a version number.
 *
 * @param what what it is, for the message
 */
export function checkAliasName(name: string, field = 'alias', what = 'an alias'): string {
  if (!alias.test(name)) {
    throw invalidArgument(
      `${field}: "${clip(name)}" is not ${what}; expected a letter and then up to 62 of a-z, 0-9, '.', '_' or '-'`,
    );
  }
  return name;
}

/** What a caller wrote as a version: nothing, a number or an alias. */
export type VersionRef =
  | { readonly kind: 'release' }
  | { readonly kind: 'number'; readonly number: number }
  | { readonly kind: 'alias'; readonly alias: string };

/** Reads a version reference; '' means the model's release. */
export function parseVersionRef(text: string, field = 'model_version'): VersionRef {
  if (text === '') return { kind: 'release' };
  if (/^[1-9][0-9]{0,14}$/.test(text)) return { kind: 'number', number: Number(text) };
  if (alias.test(text)) return { kind: 'alias', alias: text };
  throw invalidArgument(`${field}: "${clip(text)}" is neither a version number nor an alias`);
}

/** Shortens text from outside before it goes into a message. */
export function clip(text: string, max = 80): string {
  return text.length <= max ? text : `${cutText(text, max)}…`;
}
