import { SluiceError } from '@sluice/domain/errors';

/**
 * Optimistic concurrency: throws `conflict` naming the current revision when the caller saw another one. `undefined`
 * means that the caller did not ask; an object that does not exist has revision 0.
 */
export function checkExpectedRevision(what: string, expected: number | undefined, current: number): void {
  if (expected === undefined || expected === current) return;
  const now = current === 0 ? 'does not exist (its current revision is 0)' : `is at revision ${current}`;
  throw new SluiceError(
    'conflict',
    `expected_revision: ${what} ${now}, not ${expected}: somebody changed it; read it again and decide anew`,
  );
}
