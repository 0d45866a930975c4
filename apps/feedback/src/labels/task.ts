import { clip } from '@sluice/domain/names';
import type { Refusal, Truth } from './item.ts';
import { isName } from './item.ts';

/** What a version predicts, as its manifest declares it. */
export type Task =
  | { readonly kind: 'none' }
  | { readonly kind: 'regression'; readonly output: string; readonly batched: boolean }
  | {
      readonly kind: 'classification';
      readonly output: string;
      /** Whether the first dimension of the output counts rows; otherwise all of it is one row. */
      readonly batched: boolean;
      readonly classFrom: 'argmax' | 'threshold' | 'label';
      readonly threshold: number;
      /** In the order of the output's values; empty where the version names none. */
      readonly classNames: readonly string[];
    };

export const noTask: Task = { kind: 'none' };

/** A version, as records name it. */
export interface VersionName {
  readonly model: string;
  readonly version: number;
  readonly versionDigest: string;
}

export const versionKey = ({ model, version, versionDigest }: VersionName): string =>
  `${version} ${versionDigest} ${model}`;

/**
 * What is known of a version's task: that there is no such version in the registry (`unknown`) and that the registry could not be asked
 * (`away`) are two answers.
 */
export type TaskAnswer = Task | 'unknown' | 'away';

/** Versions whose tasks have to be known before anything is written. */
export interface Ask {
  readonly ask: readonly VersionName[];
}

/** Which of these versions nothing is known of. */
export function unknownOf(
  versions: readonly VersionName[],
  taskOf: (version: VersionName) => TaskAnswer | undefined,
): readonly VersionName[] {
  const unknown = new Map<string, VersionName>();
  for (const version of versions) if (taskOf(version) === undefined) unknown.set(versionKey(version), version);
  return [...unknown.values()];
}

const mostListed = 20;

/**
 * Why a truth cannot be one of a version with this task; undefined when it can. Without a task, any can.
 *
 * @param version how to call it, as in `digits version 3`
 */
export function taskRefusal(task: Task, truth: Truth, field: string, version: string): Refusal | undefined {
  if (task.kind === 'none') return undefined;
  if (task.kind === 'regression')
    return isName(truth)
      ? invalid(`${field}: the name "${clip(truth.name)}" given; expected a number, since ${version} is a regression`)
      : undefined;
  if (!isName(truth))
    return invalid(
      `${field}: the number ${truth.number} given; expected the name of a class, since ${version} is a classification` +
        classList(task.classNames),
    );
  if (task.classNames.length === 0 || namesOf(task).has(truth.name)) return undefined;
  return invalid(`${field}: ${version} has no class "${clip(truth.name)}"${classList(task.classNames)}`);
}

function classList(names: readonly string[]): string {
  if (names.length === 0) return '';
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : '';
  return `; its classes are ${names
    .slice(0, mostListed)
    .map((name) => `"${clip(name, 40)}"`)
    .join(', ')}${more}`;
}

const invalid = (reason: string): Refusal => ({ kind: 'invalid-argument', reason });

/** Indexes of class names, made once for each task. */
const indexes = new WeakMap<Task, ReadonlyMap<string, number>>();

export function namesOf(task: Extract<Task, { kind: 'classification' }>): ReadonlyMap<string, number> {
  let found = indexes.get(task);
  if (!found) indexes.set(task, (found = new Map(task.classNames.map((name, index) => [name, index]))));
  return found;
}
