import { LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { clip } from '@sluice/domain/names';
import { textProblem } from '@sluice/domain/text';
import type { Manifest, ManifestQueuePolicy, ManifestSequences, ManifestTask, ManifestTensor } from './manifest.ts';
import { type ManifestPath, ManifestProblems, showPath, suggestion } from './problems.ts';
import { keysAt } from './schema-walk.ts';
import { absentKeys, manifestSchema, type ManifestSource } from './schema.ts';
import { hasTooManyTokens, maxLevels, maxTokens, repeatedKeys } from './yaml-limits.ts';

/** Largest `sluice.yaml`, in bytes. */
export const maxManifestBytes = 1024 * 1024;
/** Tolerances of golden cases that give none. */
export const goldenRtol = 1e-4;
export const goldenAtol = 1e-5;

const utf8 = new TextDecoder('utf-8', { fatal: true });

export interface ParsedManifest {
  readonly manifest: Manifest;
  /** For what is found wrong later, against the graph. */
  readonly problems: ManifestProblems;
}

/** What holds for a version that was pushed without `sluice.yaml`. */
export function emptyManifest(): ParsedManifest {
  return { manifest: toManifest({}), problems: new ManifestProblems(new LineCounter()) };
}

/**
 * Reads `sluice.yaml`. Throws one `invalid-argument` with everything that is wrong: line, column, key, what was
 * expected and what came; for an unknown key the one that was probably meant.
 */
export function parseManifest(bytes: Uint8Array): ParsedManifest {
  const lines = new LineCounter();
  const problems = new ManifestProblems(lines);
  const source = decode(bytes, lines, problems);
  const value = toValue(source, lines, problems);
  new ValueCheck(problems).visit(value, []);
  problems.throwIfAny();
  const parsed = manifestSchema.safeParse(value ?? {});
  if (!parsed.success) {
    for (const issue of parsed.error.issues) addIssue(issue, problems);
    throw problems.toError();
  }
  return { manifest: toManifest(parsed.data), problems };
}

function decode(bytes: Uint8Array, lines: LineCounter, problems: ManifestProblems): string {
  lines.addNewLine(0);
  if (bytes.length > maxManifestBytes) {
    problems.at(0, `the file has ${bytes.length} bytes; at most ${maxManifestBytes}`);
    throw problems.toError();
  }
  try {
    const text = utf8.decode(bytes);
    lines.lineStarts.length = 0;
    return text;
  } catch {
    problems.at(0, 'the file is not UTF-8 text');
    throw problems.toError();
  }
}

function toValue(source: string, lines: LineCounter, problems: ManifestProblems): unknown {
  if (hasTooManyTokens(source)) {
    lines.addNewLine(0);
    problems.at(0, `the file has more than ${maxTokens} tokens (keys, values, brackets and the space between)`);
    throw problems.toError();
  }
  try {
    const document = parseDocument(source, {
      lineCounter: lines,
      prettyErrors: false,
      logLevel: 'silent',
      uniqueKeys: false,
    });
    for (const error of document.errors) problems.at(error.pos[0], clip(error.message, 300));
    problems.throwIfAny();
    for (const key of repeatedKeys(document)) problems.at(key.range?.[0] ?? 0, 'Map keys must be unique');
    problems.throwIfAny();
    const value = document.toJS({ maxAliasCount: 100 }) as unknown;
    problems.setSource(document, value);
    return value;
  } catch (error) {
    if (problems.any) throw problems.toError();
    // Hostile text: nested too deep for the parser, or aliases that multiply.
    if (lines.lineStarts.length === 0) lines.addNewLine(0);
    problems.at(0, `the file cannot be read: ${error instanceof Error ? clip(error.message, 300) : 'not YAML'}`);
    throw problems.toError();
  }
}

/** What aliases stand for counts each time that it is there: later readers meet it as often. */
const maxExpanded = 2 * maxManifestBytes;

/** Looks at every text, and at how much there is of all. */
class ValueCheck {
  readonly #problems: ManifestProblems;
  #size = 0;

  constructor(problems: ManifestProblems) {
    this.#problems = problems;
  }

  visit(value: unknown, path: ManifestPath): void {
    this.#count(typeof value === 'string' ? value : '');
    if (typeof value === 'string') {
      // An escape such as `\\0` puts into a text what neither the database nor a tensor's name can have.
      const problem = textProblem(value);
      if (problem) this.#problems.add(path, `the text ${problem}`);
      return;
    }
    if (typeof value !== 'object' || value === null) return;
    if (path.length === maxLevels) {
      this.#problems.add(path, `nested deeper than ${maxLevels} levels`);
      return;
    }
    for (const [key, inner] of Object.entries(value)) {
      this.#count(key);
      const problem = textProblem(key);
      if (problem) this.#problems.add(path, `the key ${clip(JSON.stringify(key))} ${problem}`);
      this.visit(inner, [...path, Array.isArray(value) ? Number(key) : key]);
    }
  }

  #count(text: string): void {
    this.#size += 1 + text.length;
    if (this.#size <= maxExpanded) return;
    this.#problems.at(0, `with its aliases written out the file has more than ${maxExpanded} characters`);
    throw this.#problems.toError();
  }
}

function addIssue(issue: z.core.$ZodIssue, problems: ManifestProblems): void {
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(manifestSchema, issue.path);
    for (const key of issue.keys) {
      problems.addKey(issue.path, key, () => {
        const absent = absentKeys[showPath([...issue.path, key])];
        if (absent !== undefined) return absent;
        const near = suggestion(key, known);
        return near ? `unknown key; did you mean "${near}"?` : `unknown key; expected one of ${known.join(', ')}`;
      });
    }
    return;
  }
  if (issue.code === 'invalid_union') {
    // A feature is a name or a map: complain as the form that was chosen would.
    const chosen = issue.errors.at(-1) ?? [];
    for (const inner of chosen) addIssue({ ...inner, path: [...issue.path, ...inner.path] }, problems);
    return;
  }
  problems.add(issue.path, () => `${issue.message}, got ${problems.valueAt(issue.path)}`);
}

function toManifest(source: ManifestSource): Manifest {
  return {
    graph: source.graph,
    inputs: (source.signature?.inputs ?? []).map(toTensor),
    outputs: (source.signature?.outputs ?? []).map(toTensor),
    task: source.task && toTask(source.task),
    ...toRunning(source),
    golden: (source.golden ?? []).map((one) => ({
      name: one.name,
      inputs: one.inputs,
      outputs: one.outputs,
      rtol: one.rtol ?? goldenRtol,
      atol: one.atol ?? goldenAtol,
    })),
    hyperparameters: source.hyperparameters ?? {},
    framework: source.framework,
    dependencies: source.dependencies ?? {},
    training: { run: source.training?.run, dataSets: source.training?.data_sets ?? [] },
    metrics: (source.metrics ?? []).map((one) => ({ name: one.name, value: one.value, dataSet: one.data_set })),
    tags: source.tags ?? [],
    licence: source.licence,
    owner: source.owner,
    description: source.description,
    modelCard: source.model_card,
  };
}

/** How the version is to be run. */
function toRunning(
  source: ManifestSource,
): Pick<Manifest, 'batching' | 'sequences' | 'instances' | 'device' | 'warmUp'> {
  const { batching, instances, warm_up: warmUp } = source;
  const policies = Object.entries(batching?.priority_queue_policy ?? {});
  return {
    batching: {
      ...toQueuePolicy(batching ?? {}),
      maxBatchSize: batching?.max_batch_size,
      preferredBatchSize: batching?.preferred_batch_size,
      allowedBatchSizes: batching?.allowed_batch_sizes,
      maxQueueDelayMicroseconds: batching?.max_queue_delay_microseconds,
      preserveOrdering: batching?.preserve_ordering,
      priorityLevels: batching?.priority_levels,
      defaultPriorityLevel: batching?.default_priority_level,
      priorityQueuePolicy: Object.fromEntries(policies.map(([level, policy]) => [level, toQueuePolicy(policy)])),
    },
    sequences: source.sequence_batching && toSequences(source.sequence_batching),
    instances: {
      count: instances?.count,
      intraOpThreads: instances?.intra_op_threads,
      cpuOperators: instances?.cpu_operators,
      groups: instances?.groups?.map((group) => ({ count: group.count ?? 1, device: group.device })),
    },
    device: source.device,
    warmUp: {
      count: warmUp?.count,
      dimensions: warmUp?.dimensions ?? {},
      requests: (warmUp?.requests ?? []).map((one) => ({
        name: one.name,
        batchSize: one.batch_size ?? 1,
        count: one.count ?? 1,
        inputs: one.inputs,
      })),
    },
  };
}

const toSequences = (source: NonNullable<ManifestSource['sequence_batching']>): ManifestSequences => ({
  maxSequenceIdleMicroseconds: source.max_sequence_idle_microseconds,
  maxQueueDelayMicroseconds: source.direct?.max_queue_delay_microseconds,
  minimumSlotUtilization: source.direct?.minimum_slot_utilization,
  controls: (source.control_input ?? []).map((one) => ({
    name: one.name,
    control: one.control,
    int32: one.int32_false_true,
    fp32: one.fp32_false_true,
    bool: one.bool_false_true,
    dataType: one.data_type,
  })),
  states: (source.state ?? []).map((one) => ({
    inputName: one.input_name,
    outputName: one.output_name,
    dataType: one.data_type,
    dims: one.dims,
    zeroData: one.initial_state?.zero_data,
    dataFile: one.initial_state?.data_file,
  })),
});

type QueuePolicySource = NonNullable<NonNullable<ManifestSource['batching']>['priority_queue_policy']>[string];

const toQueuePolicy = (source: QueuePolicySource): ManifestQueuePolicy => ({
  timeoutAction: source.timeout_action,
  defaultTimeoutMicroseconds: source.default_timeout_microseconds,
  allowTimeoutOverride: source.allow_timeout_override,
  maxQueueSize: source.max_queue_size,
});

type Said = NonNullable<ManifestSource['signature']>;
type TensorSource = NonNullable<Said['inputs']>[number] | NonNullable<Said['outputs']>[number];

function toTensor(source: TensorSource): ManifestTensor {
  const nullable = source.nullable ?? false;
  return {
    name: source.name,
    description: source.description,
    range: source.range,
    nullable,
    features: (source.features ?? []).map((one) => ({
      name: one.name,
      min: one.min ?? source.range?.[0],
      max: one.max ?? source.range?.[1],
      nullable: one.nullable ?? nullable,
    })),
    classNames: ('class_names' in source ? source.class_names : undefined) ?? [],
    format: 'format' in source ? source.format : undefined,
  };
}

/** The task with what can be said without the graph; `check-manifest.ts` refuses what is missing. */
function toTask(source: NonNullable<ManifestSource['task']>): ManifestTask {
  const prediction = source.prediction ?? '';
  switch (source.kind) {
    case 'none':
      return { kind: 'none' };
    case 'regression':
      return { kind: 'regression', prediction };
    case 'classification':
      return {
        kind: 'classification',
        prediction,
        classFrom: source.class_from ?? 'argmax',
        threshold: source.threshold,
        classNames: source.class_names ?? [],
        positiveClass: source.positive_class,
      };
  }
}
