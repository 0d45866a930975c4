import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { textProblem } from '@sluice/domain/text';

const mostPerPage = 1_000;
const defaultPerPage = 100;

/** The number of things on a page: 0 means 100. */
export function pageSize(asked: number): number {
  if (asked > mostPerPage) throw invalidArgument(`page_size: ${asked} given; expected at most ${mostPerPage}`);
  return asked === 0 ? defaultPerPage : asked;
}

/** The token with which the page after `last` is asked for. */
export function pageToken(last: string | number): string {
  return Buffer.from(JSON.stringify(last)).toString('base64url');
}

/** What a token stands for; `first` when it is ''. */
export function readPageToken<T extends string | number>(token: string, first: T): T {
  if (token === '') return first;
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (typeof value === typeof first && isSane(value)) return value as T;
  } catch {
    // Falls through to the refusal.
  }
  throw invalidArgument(`page_token: "${clip(token)}" is not a token that this call gave; begin again without one`);
}

const isSane = (value: unknown): boolean =>
  typeof value === 'string' ? textProblem(value) === undefined : Number.isSafeInteger(value);
