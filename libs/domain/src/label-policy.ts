import { invalidArgument } from './errors.ts';
import { clip } from './names.ts';

export const labelResolutions = ['latest', 'trusted-first'] as const;
export type LabelResolution = (typeof labelResolutions)[number];

/** Which of the labels of a row counts, where there are several. */
export interface LabelPolicy {
  /**
   * `latest`: the one that was recorded last. `trusted-first`: the last one of the first trusted source that has one, and
   * where none of them has, the last of all.
   */
  readonly resolution: LabelResolution;
  /** Names of sources, the most trusted first. */
  readonly trustedSources: readonly string[];
}

export const defaultLabels: LabelPolicy = { resolution: 'latest', trustedSources: [] };

const mostSources = 32;
/** As a label's source may have. */
const longestSource = 200;

/** What somebody changes of a label policy; what is undefined stays as it is. */
export type LabelChanges = { readonly [Field in keyof LabelPolicy]?: LabelPolicy[Field] | undefined };

/** The policy with its changes; the same object where they change nothing. */
export function changeLabels(policy: LabelPolicy, changes: LabelChanges | undefined): LabelPolicy {
  const changed: LabelPolicy = {
    resolution: changes?.resolution ?? policy.resolution,
    trustedSources: changes?.trustedSources ?? policy.trustedSources,
  };
  return sameLabels(policy, changed) ? policy : changed;
}

/** True when two policies choose the same labels. */
export const sameLabels = (left: LabelPolicy, right: LabelPolicy): boolean =>
  left.resolution === right.resolution && JSON.stringify(left.trustedSources) === JSON.stringify(right.trustedSources);

/** Throws `invalid-argument` naming what is wrong of a policy. */
export function checkLabels({ resolution, trustedSources }: LabelPolicy): void {
  const field = 'labels.trusted_sources';
  if (trustedSources.length > mostSources) {
    throw invalidArgument(`${field}: ${trustedSources.length} names given; expected at most ${mostSources}`);
  }
  for (const [index, name] of trustedSources.entries()) {
    const bytes = new TextEncoder().encode(name).length;
    if (bytes === 0 || bytes > longestSource) {
      throw invalidArgument(`${field}: name ${index + 1} has ${bytes} bytes; expected 1 to ${longestSource}`);
    }
    if (trustedSources.indexOf(name) < index) throw invalidArgument(`${field}: "${clip(name)}" is given twice`);
  }
  if (resolution === 'trusted-first' && trustedSources.length === 0) {
    throw invalidArgument(`${field}: empty; to trust sources first name one at least`);
  }
}
