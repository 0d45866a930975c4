import type { RequestInput, ResponseInput, WatchServiceMethods } from '@sluice/contracts/services';
import type { Random } from '@sluice/domain/clock';
import { decodeModelRoute } from '../src/watch/decode-routes.ts';
import type { WireModelRoute, WireRoutes } from '../src/watch/decode-routes.ts';

export type RoutesMessage = ResponseInput<WatchServiceMethods['watchRoutes']>;
export type RoutesRequest = RequestInput<WatchServiceMethods['watchRoutes']>;

/** An arm: version, role, weight. */
export type ArmFacts = readonly [version: number, role: 'PRIMARY' | 'CANDIDATE' | 'SHADOW', weight: number];

export interface ReleaseFacts {
  /** By name. */
  readonly arms: Readonly<Record<string, ArmFacts>>;
  /** Id, metadata key, value, arm. */
  readonly rules?: readonly (readonly [id: string, metadataKey: string, equals: string, arm: string])[];
  readonly seedId?: string;
}

export interface ModelFacts {
  readonly model?: string;
  readonly revision?: number;
  /** Alias to version. */
  readonly aliases?: Readonly<Record<string, number>>;
  /** Version of the implicit release, or one that somebody made; absent for none. */
  readonly release?: number | ReleaseFacts;
  /** Its own policy; absent as with a registry that does not send it. */
  readonly capture?: WireCapture;
  readonly placed?: readonly number[];
  readonly unplaced?: readonly number[];
  /** Version to the reason. */
  readonly quarantined?: Readonly<Record<number, string>>;
  /** Whether its versions keep sequences; `unplaced` for some that is not placed alone. */
  readonly sequences?: boolean | 'unplaced';
}

type WireServing = NonNullable<WireModelRoute['placed'][number]['serving']>;
export type WireCapture = NonNullable<WireModelRoute['capture']>;

/** The one part that a router looks at. */
const keepsSequences = { sequenceBatching: { maxSequenceIdleMicroseconds: '1000000' } } as WireServing;

/** A model's routes as the registry would send them: one FP32 input x [-1,2] and one output y of the same shape. */
export function wireModel(facts: ModelFacts = {}): WireModelRoute {
  const model = facts.model ?? 'digits';
  const tensor = {
    datatype: 'FP32',
    shape: ['-1', '2'],
    dimNames: ['N', ''],
    features: [],
    classNames: [],
    format: '',
  };
  return {
    model,
    revision: String(facts.revision ?? 1),
    aliases: Object.entries(facts.aliases ?? {}).map(([alias, version]) => ({
      model,
      alias,
      version: String(version),
      revision: '1',
      since: null,
      actor: 'ann',
      pending: null,
    })),
    release: facts.release === undefined ? null : releaseOf(model, facts.release),
    placed: (facts.placed ?? []).map((number) => ({
      number: String(number),
      digest: `d${number}`,
      signature: { inputs: [{ ...tensor, name: 'x' }], outputs: [{ ...tensor, name: 'y' }], batched: true },
      serving: facts.sequences === true ? keepsSequences : null,
      hasTask: false,
    })),
    capture: facts.capture ?? null,
    unplaced: (facts.unplaced ?? []).map(String),
    keepsSequences: facts.sequences === 'unplaced',
    quarantined: Object.entries(facts.quarantined ?? {}).map(([version, reason]) => ({
      ...{ model, version, reason, pool: 'default', since: null, actor: 'runtime:r1' },
    })),
  };
}

function releaseOf(model: string, facts: number | ReleaseFacts): NonNullable<WireModelRoute['release']> {
  if (typeof facts === 'number') return wireRelease(model, facts);
  const { arms, rules = [], seedId = `${model}/1` } = facts;
  const total = Object.values(arms).reduce((sum, [, role, weight]) => sum + (role === 'SHADOW' ? 0 : weight), 0);
  return {
    ...wireRelease(model, 0),
    ...{ mode: 'RELEASE_MODE_AB', implicit: false, seedId },
    arms: Object.entries(arms).map(([name, [version, role, weight]]) => ({
      ...{ name, version: String(version), role: `ARM_ROLE_${role}` as const, weight, versionDigest: `d${version}` },
      propensity: role === 'SHADOW' ? 0 : weight / total,
    })),
    rules: rules.map(([id, metadataKey, equals, arm]) => ({ id, metadataKey, equals, arm })),
  };
}

export function wireRelease(model: string, version: number): NonNullable<WireModelRoute['release']> {
  return {
    id: `${model}@1`,
    model,
    mode: 'RELEASE_MODE_FIXED',
    arms: [
      {
        name: 'primary',
        version: String(version),
        role: 'ARM_ROLE_PRIMARY',
        weight: 1,
        propensity: 1,
        versionDigest: `d${version}`,
      },
    ],
    rules: [],
    capture: {
      ...{ rate: 1, payload: false, durability: 'DURABILITY_BEST_EFFORT', retentionClass: 'standard' },
      ...{ maxPayloadBytes: '0', redact: [] },
    },
    seedId: `${model}/1`,
    policyVersion: '0',
    revision: '1',
    implicit: true,
    ownCapture: false,
  };
}

/** The same, decoded. */
export const modelRoute = (facts: ModelFacts = {}) => decodeModelRoute(wireModel(facts));

/** One message of the routes watch. */
export function wireRoutes(
  revision: number,
  models: readonly WireModelRoute[],
  rest: Partial<Omit<WireRoutes, 'models' | 'resumeToken' | 'runtimes'>> & {
    readonly addresses?: readonly string[];
  } = {},
): WireRoutes {
  const { addresses, ...others } = rest;
  return {
    resumeToken: String(revision),
    snapshot: true,
    models: [...models],
    removed: [],
    protocolVersion: 2,
    more: false,
    ...others,
    runtimes: addresses
      ? {
          runtimes: addresses.map((address, index) => ({
            runtimeId: `r${index}`,
            pool: 'default',
            address,
            appliedRevision: '0',
            expiresAt: null,
            versions: [],
            devices: ['cpu', 'cuda:0'].map((name) => ({ name, state: 'DEVICE_STATE_AVAILABLE' as const, detail: '' })),
            memoryBudgetBytes: '0',
            memoryUsedBytes: '0',
            live: true,
          })),
        }
      : null,
  };
}

/** Draws the given numbers, one after the other and then again. */
export function draws(...numbers: number[]): Random {
  let index = 0;
  return {
    uniform: () => numbers[index++ % numbers.length]!,
    bytes: (count) => new Uint8Array(count),
  };
}
