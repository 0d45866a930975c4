import type { Feature__Output } from '@sluice/contracts/gen/sluice/registry/v1/Feature';
import type { GetModelResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetModelResponse';
import type { ModelSettings__Output } from '@sluice/contracts/gen/sluice/registry/v1/ModelSettings';
import type { Signature__Output } from '@sluice/contracts/gen/sluice/registry/v1/Signature';
import type { TensorSpec__Output } from '@sluice/contracts/gen/sluice/registry/v1/TensorSpec';
import type { Version__Output } from '@sluice/contracts/gen/sluice/registry/v1/Version';
import { isDatatype } from '@sluice/domain/datatype';
import type { Feature, Signature, TensorSpec } from '@sluice/domain/signature';
import type { LabelPolicy, RegistryModel, RegistryVersion, Task } from '../versions/registry-version.ts';
import { latestLabel } from '../versions/registry-version.ts';

/** A version as the registry answers it. Its signature is empty where it has a datatype that is not known here: nothing can be decoded by it. */
export function decodeVersion(message: Version__Output): RegistryVersion {
  const { model, number, digest, signature, manifestJson, revision } = message;
  return {
    ...{ model, number: Number(number), digest, revision: Number(revision) },
    signature: (signature && decodeSignature(signature)) ?? {
      ...{ inputs: [], outputs: [], batched: signature?.batched ?? false },
    },
    task: decodeTask(manifestJson),
  };
}

/** A model as the registry answers it. */
export function decodeModel(name: string, { model, release }: GetModelResponse__Output): RegistryModel {
  const capture = release?.capture ?? model?.settings?.capture;
  return { name, labels: decodeLabelPolicy(model?.settings ?? null), captureRate: capture?.rate ?? 1 };
}

function decodeSignature({ inputs, outputs, batched }: Signature__Output): Signature | undefined {
  const known = (messages: TensorSpec__Output[]) => messages.map(tensor).filter((spec) => spec !== undefined);
  const decoded = { inputs: known(inputs), outputs: known(outputs), batched };
  return decoded.inputs.length === inputs.length && decoded.outputs.length === outputs.length ? decoded : undefined;
}

function tensor(message: TensorSpec__Output): TensorSpec | undefined {
  const { name, datatype, shape, dimNames, features, classNames, min, max } = message;
  if (!isDatatype(datatype)) return undefined;
  return {
    ...{ name, datatype, shape: shape.map(Number), dimNames, features: features.map(feature) },
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(classNames.length > 0 && { classNames }),
  };
}

const feature = ({ name, nullable, min, max }: Feature__Output): Feature => ({
  ...{ name, nullable },
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});

/** The task of a manifest in JSON: `none` where it names none, or one that is not known here. */
export function decodeTask(manifestJson: string): Task {
  const task = property(parsed(manifestJson), 'task');
  const prediction = text(property(task, 'prediction'));
  const kind = property(task, 'kind');
  if (prediction === '' || (kind !== 'regression' && kind !== 'classification')) return { kind: 'none' };
  if (kind === 'regression') return { kind, prediction };
  const classFrom = property(task, 'class_from');
  if (classFrom !== 'argmax' && classFrom !== 'threshold' && classFrom !== 'label') return { kind: 'none' };
  const [threshold, names] = [property(task, 'threshold'), property(task, 'class_names')];
  return {
    ...{ kind, prediction, classFrom },
    threshold: typeof threshold === 'number' ? threshold : undefined,
    classNames: Array.isArray(names) ? names.map(text) : [],
    positiveClass: text(property(task, 'positive_class')),
  };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

const property = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** Settings of a registry that knows nothing of labels have none. */
type WithLabels = ModelSettings__Output & {
  readonly labels?: { readonly resolution: string; readonly trustedSources: readonly string[] } | null;
};

function decodeLabelPolicy(settings: WithLabels | null): LabelPolicy {
  const labels = settings?.labels;
  if (!labels?.resolution.endsWith('TRUSTED_FIRST')) return latestLabel;
  return { resolution: 'trusted-first', trustedSources: labels.trustedSources };
}
