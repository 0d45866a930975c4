import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';

export const mostPerPage = 1_000;
const defaultPerPage = 100;

/** The number of things on a page: 0 means 100. */
export function pageSize(asked: number): number {
  if (asked > mostPerPage) throw invalidArgument(`page_size: ${asked} given; expected at most ${mostPerPage}`);
  return asked === 0 ? defaultPerPage : asked;
}

/** The token with which the page after the id `last` is asked for. */
export const pageToken = (last: number): string => Buffer.from(String(last)).toString('base64url');

/** The id that a token stands for; 0 when it is ''. */
export function readPageToken(token: string): number {
  if (token === '') return 0;
  const text = Buffer.from(token, 'base64url').toString('latin1');
  const id = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(id)) return id;
  throw invalidArgument(`page_token: "${clip(token)}" is not a token that this call gave; begin again without one`);
}
