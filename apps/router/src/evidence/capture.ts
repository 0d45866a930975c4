import { defaultCapture, smallResponseBytes } from '@sluice/domain/release';
import type { CapturePolicy } from '@sluice/domain/release';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import { planRedaction } from '@sluice/inference/redaction';
import type { RedactionPlan } from '@sluice/inference/redaction';
import type { ArmRoute } from '../route/release-route.ts';
import type { VersionRoute, VersionTarget } from '../route/table.ts';

/** Bytes of a payload that is kept, at most, whatever a policy says: request and response of a record lie in one segment of the spool. */
export const mostPayloadBytes = 4 * 1024 * 1024;

/** What is kept of the attempts of one arm at one version; made once for each. */
export interface Capture {
  readonly context: EncodedContext;
  /** Share of predictions, 0 to 1. */
  readonly rate: number;
  readonly durable: boolean;
  /** Bytes of a request that is kept, at most; -1 when none is. */
  readonly requestLimit: number;
  /** So with responses. */
  readonly responseLimit: number;
  /** What is hidden in requests; `impossible` where it is not known where that is; undefined when nothing is. */
  readonly redaction: RedactionPlan | 'impossible' | undefined;
}

/** What a capture is of. */
interface Attempted {
  readonly version: VersionTarget;
  readonly assigned: ArmRoute | undefined;
  readonly served: ArmRoute | undefined;
}

/** Captures by version, and there by arm. Versions and arms are objects of a routing table: a new table brings new ones. */
export class Captures {
  readonly #policyOf: (model: string) => CapturePolicy | undefined;
  readonly #byVersion = new WeakMap<VersionTarget, Known[]>();

  /** @param policyOf the policy of a model: its release's, or its own; undefined for a model that is not there any more */
  constructor(policyOf: (model: string) => CapturePolicy | undefined) {
    this.#policyOf = policyOf;
  }

  /** The policy of requests for a model. */
  policyOf(model: string): CapturePolicy {
    return bounded(this.#policyOf(model) ?? defaultCapture);
  }

  of(attempt: Attempted): Capture {
    const { version, assigned, served } = attempt;
    let known = this.#byVersion.get(version);
    if (!known) {
      known = [];
      this.#byVersion.set(version, known);
    }
    // Also of a sequence that began under a release of before: what the policy says holds from the moment that it is there.
    const policy = this.#policyOf(version.model) ?? defaultCapture;
    for (const each of known)
      if (each.assigned === assigned && each.served === served && each.policy === policy) return each.capture;
    const capture = compile(attempt, policy);
    // A version has few arms; policies of before are forgotten.
    this.#byVersion.set(version, [
      ...known.filter((each) => each.policy === policy),
      { assigned, served, policy, capture },
    ]);
    return capture;
  }
}

interface Known {
  readonly assigned: ArmRoute | undefined;
  readonly served: ArmRoute | undefined;
  readonly policy: CapturePolicy;
  readonly capture: Capture;
}

/** A policy as it can be kept here. */
function bounded(policy: CapturePolicy): CapturePolicy {
  const { maxPayloadBytes } = policy;
  return maxPayloadBytes <= mostPayloadBytes ? policy : { ...policy, maxPayloadBytes: mostPayloadBytes };
}

function compile({ version, assigned, served }: Attempted, given: CapturePolicy): Capture {
  const policy = bounded(given);
  const placed = isPlaced(version) ? version : undefined;
  const release = assigned?.release;
  return {
    context: new EncodedContext({
      model: version.model,
      version: version.number,
      versionDigest: placed?.digest ?? servedDigest(version, served),
      releaseId: release?.id ?? '',
      seedId: release?.seedId ?? '',
      policyVersion: release?.policyVersion ?? 0,
      arm: assigned?.name ?? '',
      servedArm: served?.name ?? '',
      role: assigned?.role,
      propensity: assigned?.propensity ?? 1,
      retentionClass: policy.retentionClass,
    }),
    rate: policy.rate,
    durable: policy.durability === 'durable',
    requestLimit: policy.request ? policy.maxPayloadBytes : -1,
    responseLimit: responseLimit(policy, placed),
    redaction: redactionOf(policy, placed),
  };
}

const isPlaced = (version: VersionTarget): version is VersionRoute => version.placed;

/** An arm knows the digest of its version, placed or not. */
const servedDigest = (version: VersionTarget, served: ArmRoute | undefined): string =>
  served?.version === version.number ? served.versionDigest : '';

/** Where a version is not known here, or does not name what is to be hidden, its requests could show it. */
function redactionOf({ redact }: CapturePolicy, placed: VersionRoute | undefined): Capture['redaction'] {
  if (redact.length === 0) return undefined;
  return (placed && planRedaction(placed.signature, redact)) ?? 'impossible';
}

function responseLimit({ response, maxPayloadBytes }: CapturePolicy, placed: VersionRoute | undefined): number {
  if (response === 'small') return placed?.hasTask === true ? Math.min(smallResponseBytes, maxPayloadBytes) : -1;
  return response ? maxPayloadBytes : -1;
}
