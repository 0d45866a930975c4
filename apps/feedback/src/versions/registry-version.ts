import type { Signature } from '@sluice/domain/signature';

/** What a version is for, as its `sluice.yaml` said, with what follows from its graph filled in. */
export type Task =
  | { readonly kind: 'none' }
  | { readonly kind: 'regression'; readonly prediction: string }
  | {
      readonly kind: 'classification';
      /** The output that is the prediction. */
      readonly prediction: string;
      /** The largest value of a row, one value against the threshold, or the class itself. */
      readonly classFrom: 'argmax' | 'threshold' | 'label';
      /** Of `threshold`: from it on a row is of the second class. */
      readonly threshold: number | undefined;
      /** By index; empty where nobody named them. */
      readonly classNames: readonly string[];
      /** Empty where nobody named one. */
      readonly positiveClass: string;
    };

/** A version as the registry has it. */
export interface RegistryVersion {
  readonly model: string;
  readonly number: number;
  /** 64 hex digits; empty while it is not known. */
  readonly digest: string;
  readonly signature: Signature;
  readonly task: Task;
  /** Leaf index in the audit log of its own last change. */
  readonly revision: number;
}

/** Which of several labels of one row counts. */
export interface LabelPolicy {
  readonly resolution: 'latest' | 'trusted-first';
  /** In their order; empty for `latest`. */
  readonly trustedSources: readonly string[];
}

export const latestLabel: LabelPolicy = { resolution: 'latest', trustedSources: [] };

/** A model as the registry has it. */
export interface RegistryModel {
  readonly name: string;
  readonly labels: LabelPolicy;
  /** Share of predictions whose evidence is kept now, by the release that rules or else by the model. */
  readonly captureRate: number;
}

/** The registry, asked for one thing at a time. Undefined: it has none. Throws when it cannot be asked. */
export interface RegistrySource {
  findVersion(model: string, version: number): Promise<RegistryVersion | undefined>;
  findModel(model: string): Promise<RegistryModel | undefined>;
}

/** What is known of something in the registry: that there is none is another answer than that nobody can tell. */
export type Answer<T> =
  | { readonly state: 'known'; readonly value: T }
  | { readonly state: 'unknown' }
  | { readonly state: 'away'; readonly error: Error };

const digest = /^[0-9a-f]{64}$/;

/** Whether a version with the digest `found` is the one that a record names: a registry that was put back may have another of its number. */
export const sameDigest = (named: string, found: string): boolean =>
  found === named || !digest.test(named) || !digest.test(found);
