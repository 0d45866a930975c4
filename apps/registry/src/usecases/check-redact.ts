import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { StateReads } from './state.ts';

/** So many names of what there is are told. */
const shown = 20;

/**
 * Throws `invalid-argument`, saying what there is, when no ready version of the model has an input or feature of one of
 * these names: a typing error would keep what somebody wanted gone.
 */
export async function checkRedactable(
  reads: StateReads,
  model: string,
  names: readonly string[] | undefined,
): Promise<void> {
  if (names === undefined || names.length === 0) return;
  const { missing, known } = await reads.redactable(model, names, shown + 1);
  if (missing.length === 0) return;
  const list = known.slice(0, shown).map((name) => clip(name));
  const there =
    known.length === 0
      ? `${model} has no ready version yet; push one first`
      : `there are ${list.join(', ')}${known.length > shown ? ' and more' : ''}`;
  throw invalidArgument(
    `capture.redact: no ready version of ${model} has an input or feature "${clip(missing[0]!)}"; ${there}`,
  );
}
