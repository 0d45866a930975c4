import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { ownFile } from './model-config.ts';
import type { ConfigOverride, ConfigTensor, ConfigWarmUp } from './model-config.ts';
import type { ConfigSequences, ConfigState } from './sequence-config.ts';

/** A `sluice.yaml`, read. */
export type ManifestMap = Readonly<Record<string, unknown>>;

/** What was read of the `sluice.yaml` of a version, which the registry has checked before it was one. */
export function manifestOf(read: unknown): ManifestMap {
  return mapOf(read);
}

/**
 * The `sluice.yaml` of a version that has what another one says but where a `config` says something itself: each of its
 * fields that is there takes the place of what was said of that. JSON, which is YAML too, and always the same text for
 * the same content.
 *
 * @param labels class names by the output whose label file has them
 */
export function writeManifest(
  base: ManifestMap,
  config: ConfigOverride,
  labels: ReadonlyMap<string, readonly string[]>,
): string {
  const { graph, instanceGroups, intraOpThreads, sequences, warmUp } = config;
  const instances = {
    ...mapOf(base['instances']),
    ...(instanceGroups && { count: undefined, groups: instanceGroups }),
    ...(intraOpThreads !== undefined && { intra_op_threads: intraOpThreads }),
  };
  const manifest = {
    ...base,
    // A graph that is named in the call need not stand in the file; one that stands there must not contradict it.
    ...(graph !== undefined && base['graph'] !== undefined && { graph }),
    batching: batchingOf(mapOf(base['batching']), config),
    instances,
    ...(instanceGroups && { device: undefined }),
    ...(sequences && { sequence_batching: sequencesOf(mapOf(base['sequence_batching']), sequences) }),
    ...(warmUp && { warm_up: warmUpOf(mapOf(base['warm_up']), warmUp) }),
    signature: signatureOf(mapOf(base['signature']), config, labels),
  };
  return JSON.stringify(withoutEmptyMaps(manifest), undefined, 2);
}

function batchingOf(base: ManifestMap, config: ConfigOverride): ManifestMap {
  const { maxBatchSize, dynamicBatching } = config;
  const { max_batch_size: ownMax, allowed_batch_sizes: ownAllowed } = base;
  const kept = { max_batch_size: ownMax, allowed_batch_sizes: ownAllowed };
  const batching: Record<string, unknown> = dynamicBatching ? { ...kept, ...dynamicBatching } : { ...base };
  if (maxBatchSize !== undefined && maxBatchSize !== ownMax) {
    batching['max_batch_size'] = maxBatchSize;
    // Sizes of before that do not fit under another maximum were no wish of this `config`.
    batching['allowed_batch_sizes'] = undefined;
    if (!dynamicBatching && Array.isArray(base['preferred_batch_size'])) {
      batching['preferred_batch_size'] = base['preferred_batch_size'].filter((size) => Number(size) <= maxBatchSize);
    }
  }
  if (config.allowedBatchSizes) batching['allowed_batch_sizes'] = config.allowedBatchSizes;
  return batching;
}

function sequencesOf(base: ManifestMap, { state, ...said }: ConfigSequences): ManifestMap {
  const own = listOf(base['state']);
  const before = ({ path, said: { input_name: name } }: ConfigState): ManifestMap => {
    const { data_file: file } = mapOf(mapOf(own.find((each) => each['input_name'] === name))['initial_state']);
    if (file !== undefined) return { data_file: file };
    throw invalidArgument(
      `${path}.initial_state: data_file "given at push" is that of the version's sluice.yaml, which names none for "${clip(name)}"; name a file of initial_state/, or zero_data`,
    );
  };
  return {
    ...said,
    direct: withoutUnsaid(mapOf(said['direct'])),
    state: state.map((each) => ({
      ...each.said,
      ...(each.initial !== 'zero' && { initial_state: each.initial === 'kept' ? before(each) : each.initial }),
    })),
  };
}

const withoutUnsaid = (map: ManifestMap): ManifestMap | undefined => {
  const entries = Object.entries(map).filter(([, value]) => value !== undefined);
  return entries.length > 0 ? Object.fromEntries(entries) : undefined;
};

function warmUpOf(base: ManifestMap, { count, requests }: ConfigWarmUp): ManifestMap {
  const own = listOf(base['requests']);
  return {
    ...base,
    count,
    requests: requests.map(({ name, batchSize, count: times, inputs }) => {
      const before = mapOf(own.find((request) => request['name'] === name)?.['inputs']);
      const values = Object.entries(inputs).map(([input, source]) => {
        if (source === 'kept' && !Object.hasOwn(before, input)) {
          throw invalidArgument(
            `config.model_warmup: input_data_file "${ownFile}" of request "${clip(name)}", input "${clip(input)}": the version's sluice.yaml has no values for it`,
          );
        }
        return [input, source === 'kept' ? before[input] : source];
      });
      return { name, batch_size: batchSize, count: times, inputs: Object.fromEntries(values) as ManifestMap };
    }),
  };
}

function signatureOf(
  base: ManifestMap,
  config: ConfigOverride,
  labels: ReadonlyMap<string, readonly string[]>,
): ManifestMap {
  const inputs = listOf(base['inputs']);
  const outputs = listOf(base['outputs']);
  const merged = (
    own: readonly ManifestMap[],
    tensors: readonly ConfigTensor[],
    said: (tensor: ConfigTensor) => object,
  ) => {
    const list = [...own];
    for (const tensor of tensors) {
      const more = said(tensor);
      if (Object.keys(more).length === 0) continue;
      const at = list.findIndex((each) => each['name'] === tensor.name);
      if (at < 0) list.push({ name: tensor.name, ...more });
      else list[at] = { ...list[at], ...more };
    }
    return list.length > 0 ? list : undefined;
  };
  return {
    ...base,
    inputs: merged(inputs, config.inputs, ({ format }) => (format ? { format } : {})),
    outputs: merged(outputs, config.outputs, ({ name }) => (labels.has(name) ? { class_names: labels.get(name) } : {})),
  };
}

function mapOf(value: unknown): ManifestMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ManifestMap) : {};
}

const listOf = (value: unknown): readonly ManifestMap[] => (Array.isArray(value) ? value.map(mapOf) : []);

/** A section in which nothing is said is left out, but for `sequence_batching`, which says something by being there. */
function withoutEmptyMaps(manifest: ManifestMap): ManifestMap {
  const said = ([key, value]: readonly [string, unknown]): boolean =>
    value !== undefined &&
    (key === 'sequence_batching' ||
      !(Object.keys(mapOf(value)).length === 0 && typeof value === 'object' && !Array.isArray(value)));
  const entries = Object.entries(manifest).map(([key, value]) => {
    const inner = Object.entries(mapOf(value)).filter(([, each]) => each !== undefined);
    return [key, Object.keys(mapOf(value)).length > 0 ? Object.fromEntries(inner) : value] as const;
  });
  return Object.fromEntries(entries.filter(said));
}
