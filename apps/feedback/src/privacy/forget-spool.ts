import { notFound } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { checkReason } from './erase-subject.ts';
import type { Erasures, KnownSpool, Spools } from './erasure.ts';

export interface ForgetSpool {
  readonly spoolId: string;
  readonly actor: string;
  readonly reason: string;
}

/** No order waits for the spool any more. Errors: `invalid-argument`; `not-found` for one that was never here. */
export async function forgetSpool(
  { spools, erasures }: { readonly spools: Spools; readonly erasures: Erasures },
  { spoolId, actor, reason }: ForgetSpool,
): Promise<KnownSpool> {
  checkReason(reason);
  const spool = await spools.forget(spoolId, actor, reason);
  if (!spool) throw notFound(`there is no spool ${clip(spoolId)}; \`sluice erase spools\` shows those that were here`);
  await erasures.settle();
  return spool;
}
