import type { DeviceWishes } from '@sluice/domain/device';
import type { CapturePolicy } from '@sluice/domain/release';
import type { Signature } from '@sluice/domain/signature';
import { modelOverride } from '@sluice/inference/rewrite';
import type { ReleaseRoute } from './release-route.ts';

/** A version as requests go to it. */
export interface VersionTarget {
  readonly model: string;
  readonly number: number;
  /** The number as text, as messages carry it. */
  readonly text: string;
  /** Names the version in the fleet's index: see `versionKey`. */
  readonly key: string;
  /** The registry places it: runtimes that have it are told to. Any other is loaded when a request comes for it. */
  readonly placed: boolean;
  /** What follows a request to send it to this version, whatever version the caller wrote. */
  readonly override: Uint8Array;
}

/** A version that is placed on runtimes. */
export interface VersionRoute extends VersionTarget {
  readonly digest: string;
  readonly signature: Signature;
  /** The devices that it asks for: they say which runtimes are to have it. */
  readonly wishes: DeviceWishes;
  /** It declares a task: what it answers can be held against the truth. */
  readonly hasTask: boolean;
}

/** All that is needed to route the requests of one model. */
export interface ModelRoute {
  readonly name: string;
  readonly revision: number;
  readonly aliases: ReadonlyMap<string, number>;
  /** Where an empty version goes; undefined when there is neither champion nor pin. */
  readonly release: ReleaseRoute | undefined;
  /** What is kept of its requests while it has no release. */
  readonly capture: CapturePolicy;
  readonly placed: ReadonlyMap<number, VersionRoute>;
  /** Whether some version keeps sequences, placed or not: to other models their ids mean nothing. */
  readonly keepsSequences: boolean;
  /** Versions that exist and that nothing places on runtimes. */
  readonly unplaced: ReadonlySet<number>;
  /** Of these, the ones that nobody loads because they ended runtimes, with why. */
  readonly quarantined: ReadonlyMap<number, string>;
}

/** One state of all routes. It never changes: an update makes another table, and requests see one or the other. */
export interface RouteTable {
  /** The registry's revision that this table is. */
  readonly revision: number;
  readonly models: ReadonlyMap<string, ModelRoute>;
}

/** What the registry sends: all models, or those that changed. */
export interface RouteUpdate {
  readonly revision: number;
  readonly snapshot: boolean;
  readonly models: readonly ModelRoute[];
  readonly removed: readonly string[];
}

/** Names a version among the versions of all models; model names hold no '@'. */
export function versionKey(model: string, version: number | string): string {
  return `${model}@${version}`;
}

/** What `versionKey` was made of. */
export function versionOf(key: string): { readonly model: string; readonly version: string } {
  const at = key.indexOf('@');
  return { model: key.slice(0, at), version: key.slice(at + 1) };
}

/** A version as requests are sent to it. */
export function targetOf(model: string, number: number): VersionTarget {
  const text = String(number);
  const override = modelOverride({ modelVersion: text });
  return { model, number, text, key: versionKey(model, number), placed: false, override };
}

/** The table after an update; without a table, only a snapshot makes one. */
export function applyUpdate(table: RouteTable | undefined, update: RouteUpdate): RouteTable | undefined {
  if (!table && !update.snapshot) return undefined;
  const models = new Map(update.snapshot ? [] : table?.models);
  for (const name of update.removed) models.delete(name);
  for (const model of update.models) models.set(model.name, model);
  return { revision: update.revision, models };
}
