import type { Clock } from '@sluice/domain/clock';
import { invalidArgument } from '@sluice/domain/errors';
import { checkModelName, clip } from '@sluice/domain/names';
import { storedText } from '../evidence/stored-text.ts';
import { pageSize } from '../usecases/page.ts';
import { narrowed } from './narrowed.ts';
import type { AttemptSummary } from './prediction.ts';
import type { AskedRange, TimeRange } from './time-range.ts';
import { timeRange } from './time-range.ts';

/** Which records are listed. */
export interface PredictionFilter {
  readonly model: string;
  /** Empty: all. */
  readonly versions: readonly number[];
  /** Undefined: all. */
  readonly arm: string | undefined;
  readonly status: 'any' | 'ok' | 'failed';
  readonly label: 'any' | 'labelled' | 'unlabelled';
  /** Empty: all. */
  readonly requestId: string;
  readonly subject: string;
}

export interface ListPredictions extends PredictionFilter {
  readonly range: AskedRange;
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A place in the list: what comes after it has a lower key. */
export interface ListPlace {
  readonly predictionId: string;
  readonly arm: string;
  readonly attempt: number;
}

export interface ListedPrediction extends AttemptSummary {
  readonly labelled: boolean;
}

export interface PredictionPage {
  readonly predictions: readonly ListedPrediction[];
  /** Where to go on; undefined at the end. */
  readonly next: ListPlace | undefined;
}

/** The tables, as a list sees them. */
export interface PredictionLister {
  /** Records of a range below a place, the highest keys first; those of 20,000 records at most, whether they match or not. */
  page(
    filter: PredictionFilter,
    range: TimeRange,
    after: ListPlace | undefined,
    limit: number,
  ): Promise<PredictionPage>;
}

const mostVersions = 100;

/** A page of records of a model, newest first. */
export async function listPredictions(
  { lister, clock }: { readonly lister: PredictionLister; readonly clock: Clock },
  { range: asked, pageSize: size, pageToken, ...filter }: ListPredictions,
): Promise<{ readonly predictions: readonly ListedPrediction[]; readonly nextPageToken: string }> {
  checkModelName(filter.model);
  if (filter.versions.length > mostVersions)
    throw invalidArgument(`versions: ${filter.versions.length} given; expected at most ${mostVersions}`);
  const whole = { ...filter, requestId: storedText(filter.requestId), subject: storedText(filter.subject) };
  const limit = pageSize(size);
  const after = readToken(pageToken);
  // A range without an end would move while its pages are read; the token has the place, and nothing new comes below it.
  const page = lister.page(whole, timeRange(asked, clock.now()), after, limit);
  const { predictions, next } = await narrowed(page, 'this list', 'narrow `from` and `to`');
  return { predictions, nextPageToken: next ? writeToken(next) : '' };
}

const writeToken = ({ predictionId, arm, attempt }: ListPlace): string =>
  Buffer.from(`${predictionId} ${attempt} ${arm}`).toString('base64url');

function readToken(token: string): ListPlace | undefined {
  if (token === '') return undefined;
  const text = Buffer.from(token, 'base64url').toString('utf8');
  const [, predictionId, attempt, arm] = /^([0-9a-f-]{36}) (\d{1,5}) (.*)$/s.exec(text) ?? [];
  if (predictionId === undefined || arm === undefined || Number(attempt) > 32_767 || !uuid.test(predictionId))
    throw invalidArgument(`page_token: "${clip(token)}" is not a token that this call gave; begin again without one`);
  return { predictionId, arm: storedText(arm), attempt: Number(attempt) };
}

const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
