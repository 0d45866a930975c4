import canonicalize from 'canonicalize';
import type { Manifest, ManifestTask, ManifestTensor } from './manifest.ts';

/**
 * What `sluice.yaml` said beside signature and serving, as canonical JSON under the file's own keys; keys without a
 * value are left out. Numbers that JSON lacks become text ("NaN", "Infinity").
 */
export function manifestJson(manifest: Manifest): string {
  const whole = {
    description: manifest.description,
    owner: manifest.owner,
    licence: manifest.licence,
    tags: manifest.tags,
    model_card: manifest.modelCard,
    signature: { inputs: manifest.inputs.map(tensorJson), outputs: manifest.outputs.map(tensorJson) },
    task: manifest.task && taskJson(manifest.task),
    warm_up: { dimensions: manifest.warmUp.dimensions },
    golden: manifest.golden,
    hyperparameters: manifest.hyperparameters,
    framework: manifest.framework,
    dependencies: manifest.dependencies,
    training: { run: manifest.training.run, data_sets: manifest.training.dataSets },
    metrics: manifest.metrics.map(({ name, value, dataSet }) => ({ name, value, data_set: dataSet })),
  };
  return canonicalize(plain(whole) ?? {})!;
}

const tensorJson = ({ classNames, ...tensor }: ManifestTensor) => ({ ...tensor, class_names: classNames });

function taskJson(task: ManifestTask): unknown {
  if (task.kind !== 'classification') return task;
  const { kind, prediction, classFrom, threshold, classNames, positiveClass } = task;
  return {
    kind,
    prediction,
    class_from: classFrom,
    threshold,
    class_names: classNames,
    positive_class: positiveClass,
  };
}

/** Leaves out what is undefined, null or an empty container, and makes the rest JSON. */
function plain(value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object') return value;
  if (Array.isArray(value))
    return value.length === 0 ? undefined : value.map((item) => plain(item) ?? (Array.isArray(item) ? [] : null));
  if (Object.getPrototypeOf(value) !== Object.prototype) return JSON.stringify(value);
  const entries = Object.entries(value)
    .map(([key, item]) => [key, plain(item)] as const)
    .filter(([, item]) => item !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
