import type { LabelChanges } from '@sluice/contracts/gen/sluice/registry/v1/LabelChanges';
import { InvalidArgumentError } from 'commander';
import { list } from './options.ts';

/** `latest`, or `trusted=SOURCE,SOURCE` with the most trusted source first. Each says the whole policy. */
export function labelSettings(text: string): LabelChanges {
  if (text === 'latest') return { resolution: 'LABEL_RESOLUTION_LATEST', trustedSources: { names: [] } };
  const names = list(/^trusted=(.*)$/.exec(text)?.[1] ?? '');
  if (names.length === 0) throw new InvalidArgumentError('Expected latest, or trusted=SOURCE with commas between.');
  return { resolution: 'LABEL_RESOLUTION_TRUSTED_FIRST', trustedSources: { names: [...names] } };
}
