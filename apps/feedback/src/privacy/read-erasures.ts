import { invalidArgument, notFound } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { pageSize, pageToken, readPageToken } from '../usecases/page.ts';
import type { Erasure, ErasurePending, Erasures, KnownSpool, Spools, SubjectExport } from './erasure.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const mostShown = 1_000;

/** An order with what it waits for, and what nobody can take back. */
export interface ErasureDetails {
  readonly erasure: Erasure;
  readonly pending: ErasurePending;
  readonly exports: readonly SubjectExport[];
}

/** Errors: `invalid-argument`, `not-found`. */
export async function getErasure(erasures: Erasures, erasureId: string): Promise<ErasureDetails> {
  if (!uuid.test(erasureId)) throw invalidArgument(`erasure_id: "${clip(erasureId)}" given; expected a UUID`);
  await erasures.settle();
  const erasure = await erasures.find(erasureId);
  if (!erasure) throw notFound(`there is no erasure ${erasureId}`);
  return erasureDetails(erasures, erasure);
}

export async function erasureDetails(erasures: Erasures, erasure: Erasure): Promise<ErasureDetails> {
  const isDone = erasure.doneMs !== undefined;
  return {
    erasure,
    pending: isDone
      ? { spools: [], spoolCount: 0, unreadableLetters: 0, waitingFeedback: 0 }
      : await erasures.pending(erasure.number, mostShown),
    exports: await erasures.exports(erasure.subjectHash, mostShown),
  };
}

export interface ListPage {
  /** 0 means 100. */
  readonly pageSize: number;
  /** Empty for the first page. */
  readonly pageToken: string;
}

/** A page of orders, the newest first. */
export async function listErasures(
  erasures: Erasures,
  request: ListPage & { readonly isDone: boolean | undefined },
): Promise<{ readonly erasures: readonly Erasure[]; readonly nextPageToken: string }> {
  const limit = pageSize(request.pageSize);
  const before = request.pageToken === '' ? undefined : readPageToken(request.pageToken);
  await erasures.settle();
  const found = await erasures.list({ before, limit: limit + 1, isDone: request.isDone });
  const page = found.slice(0, limit);
  return { erasures: page, nextPageToken: found.length > limit ? pageToken(page.at(-1)!.number) : '' };
}

/** A page of spools, by id. */
export async function listSpools(
  spools: Spools,
  request: ListPage,
): Promise<{ readonly spools: readonly KnownSpool[]; readonly nextPageToken: string }> {
  const limit = pageSize(request.pageSize);
  const found = await spools.list(Buffer.from(request.pageToken, 'base64url').toString(), limit + 1);
  const page = found.slice(0, limit);
  const last = page.at(-1)?.spoolId ?? '';
  return { spools: page, nextPageToken: found.length > limit ? Buffer.from(last).toString('base64url') : '' };
}
