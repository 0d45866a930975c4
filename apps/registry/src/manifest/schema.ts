import { controlKinds } from '@sluice/domain/sequence-batching';
import { imageFormats } from '@sluice/domain/signature';
import { z } from 'zod';
import type { TensorLiteral } from './manifest.ts';

/** Says of every failure what was expected; `problems.ts` adds where it is and what came. */
const expected = (what: string) => ({ error: `expected ${what}` });

const text = (what = 'text', max = 1000) =>
  z
    .string(expected(`${what} (quote it if it looks like a number)`))
    .min(1, expected(what))
    .max(max, expected(`at most ${max} characters`));
const whole = (min: number, max: number) => {
  const say = expected(`a whole number from ${min} to ${max}`);
  return z.int(say).min(min, say).max(max, say);
};
const number = () => z.number(expected('a number'));
const nonNegative = () => z.number(expected('a number of 0 or more')).min(0, expected('a number of 0 or more'));
const yesNo = () => z.boolean(expected('true or false'));
const listOf = <T extends z.ZodType>(item: T, what: string, max = 1000) =>
  z.array(item, expected(`a list of ${what}`)).max(max, expected(`at most ${max} ${what}`));
const mapOf = <T extends z.ZodType>(value: T, what: string) =>
  z.record(z.string(), value, expected(`a map of ${what}`));
const section = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, expected('a map of keys and values'));

/** Longest name of a feature, in characters. */
export const maxFeatureName = 200;

const range = z
  .tuple([number(), number()], expected('two numbers, lowest and highest'))
  .refine(([low, high]) => low <= high, expected('the lowest number first'));

const feature = z.union([
  text('a feature name', maxFeatureName).transform((name) => ({
    name,
    min: undefined,
    max: undefined,
    nullable: undefined,
  })),
  section({
    name: text('a feature name', maxFeatureName),
    min: number().optional(),
    max: number().optional(),
    nullable: yesNo().optional(),
  }).refine(
    (one) => one.min === undefined || one.max === undefined || one.min <= one.max,
    expected('min to be at most max'),
  ),
]);

const tensor = {
  name: text('the name of a tensor of the graph'),
  description: text().optional(),
  features: listOf(feature, 'feature names, or maps with name, min, max and nullable', 100_000).optional(),
  range: range.optional(),
  nullable: yesNo().optional(),
};
const classNames = listOf(text('a class name', 200), 'class names', 100_000);
const input = section({ ...tensor, format: z.enum(imageFormats, expected('NCHW or NHWC')).optional() });
const output = section({ ...tensor, class_names: classNames.optional() });

const task = section({
  kind: z.enum(['classification', 'regression', 'none'], expected('classification, regression or none')),
  prediction: text('the name of an output').optional(),
  class_from: z.enum(['argmax', 'threshold', 'label'], expected('argmax, threshold or label')).optional(),
  threshold: number().optional(),
  class_names: classNames.optional(),
  positive_class: text('a class name', 200).optional(),
}).check((context) => {
  const { kind, prediction, ...rest } = context.value;
  const refuse = (key: string, message: string) =>
    context.issues.push({ code: 'custom', path: [key], message, input: context.value });
  if (kind === 'none' && prediction !== undefined) refuse('prediction', 'expected nothing, since the task is none');
  if (kind !== 'none' && prediction === undefined) refuse('prediction', 'expected the name of an output');
  if (kind !== 'classification') {
    for (const key of Object.keys(rest)) refuse(key, `expected nothing, since the task is ${kind}`);
  } else if (rest.threshold !== undefined && rest.class_from !== 'threshold') {
    refuse('threshold', 'expected nothing, since class_from is not threshold');
  }
});

const maxBatch = 65_536;
/** Most levels of priority: each has a queue of its own. */
const maxPriorityLevels = 100;

const queuePolicy = {
  timeout_action: z.enum(['reject', 'delay'], expected('reject or delay')).optional(),
  default_timeout_microseconds: whole(0, 3_600_000_000).optional(),
  allow_timeout_override: yesNo().optional(),
  max_queue_size: whole(0, 10_000_000).optional(),
};

const batching = section({
  max_batch_size: whole(0, maxBatch).optional(),
  preferred_batch_size: listOf(whole(1, maxBatch), 'whole numbers', 100).optional(),
  allowed_batch_sizes: listOf(whole(1, maxBatch), 'whole numbers', 100).optional(),
  max_queue_delay_microseconds: whole(0, 60_000_000).optional(),
  preserve_ordering: yesNo().optional(),
  ...queuePolicy,
  priority_levels: whole(0, maxPriorityLevels).optional(),
  default_priority_level: whole(0, maxPriorityLevels).optional(),
  priority_queue_policy: mapOf(section(queuePolicy), 'levels and their queue policies').optional(),
});

const pairOf = <T extends z.ZodType>(item: T, what: string) =>
  z.tuple([item, item], expected(`two ${what}, that of false and that of true`));

const sequenceBatching = section({
  max_sequence_idle_microseconds: whole(1, 3_600_000_000).optional(),
  direct: section({
    max_queue_delay_microseconds: whole(0, 60_000_000).optional(),
    minimum_slot_utilization: z
      .number(expected('a number from 0 to 1'))
      .min(0, expected('a number from 0 to 1'))
      .max(1, expected('a number from 0 to 1'))
      .optional(),
  }).optional(),
  control_input: listOf(
    section({
      name: text('the name of an input of the graph'),
      control: z.enum(controlKinds, expected(controlKinds.join(', '))),
      int32_false_true: pairOf(whole(-(2 ** 31), 2 ** 31 - 1), 'whole numbers').optional(),
      fp32_false_true: pairOf(number(), 'numbers').optional(),
      bool_false_true: pairOf(yesNo(), 'of true and false').optional(),
      data_type: text('a datatype').optional(),
    }),
    'control inputs',
    16,
  ).optional(),
  state: listOf(
    section({
      input_name: text('the name of an input of the graph'),
      output_name: text('the name of an output of the graph'),
      data_type: text('a datatype').optional(),
      dims: listOf(whole(1, 1_000_000_000), 'whole numbers', 16).optional(),
      initial_state: section({
        zero_data: yesNo().optional(),
        data_file: text('the path of a file').optional(),
      }).optional(),
    }),
    'states',
    100,
  ).optional(),
});

/** Keys that Triton has at these places and Sluice has not, and what there is instead. */
export const absentKeys: Readonly<Record<string, string>> = {
  'sequence_batching.oldest':
    'expected direct: it is the only strategy that there is, each sequence has a slot to its end',
  'sequence_batching.iterative_sequence':
    'expected nothing: each request of a sequence is answered once, so there are no iterative sequences; use direct',
};

const device = z
  .string(expected('cpu, cuda, cuda:<number> or webgpu'))
  .regex(/^(cpu|cuda(:(0|[1-9]\d{0,2}))?|webgpu)$/, expected('cpu, cuda, cuda:<number> or webgpu'));

const instances = section({
  count: whole(0, 1024).optional(),
  intra_op_threads: whole(0, 1024).optional(),
  cpu_operators: yesNo().optional(),
  groups: listOf(section({ count: whole(1, 1024).optional(), device }), 'groups with count and device', 16)
    .min(1, expected('one group or more'))
    .optional(),
});

const isLiteral = (value: unknown, depth = 0): value is TensorLiteral => {
  if (Array.isArray(value)) return depth < 16 && value.every((item) => isLiteral(item, depth + 1));
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string';
};
const literal = z.custom<TensorLiteral>(
  (value) => isLiteral(value),
  expected('numbers, booleans or text in nested lists'),
);

const golden = section({
  name: text('a name of the case', 100),
  inputs: mapOf(literal, 'input names and values'),
  outputs: mapOf(literal, 'output names and values'),
  rtol: nonNegative().optional(),
  atol: nonNegative().optional(),
});

const warmUp = section({
  count: whole(0, 1000).optional(),
  dimensions: mapOf(whole(1, 1_000_000), 'dimension names and sizes').optional(),
  requests: listOf(
    section({
      name: text('a name of the request', 100),
      batch_size: whole(1, maxBatch).optional(),
      count: whole(1, 1000).optional(),
      inputs: mapOf(literal, 'input names and values'),
    }),
    'warm-up requests',
    16,
  ).optional(),
});

/** `sluice.yaml`, as it is written. Every key here has a line in docs/sluice-yaml.md; a test compares them. */
export const manifestSchema = section({
  graph: text('the path of the graph').optional(),
  description: text('text', 10_000).optional(),
  owner: text('text', 200).optional(),
  licence: text('text', 200).optional(),
  tags: listOf(text('a tag', 100), 'tags', 100).optional(),
  model_card: text('markdown', 500_000).optional(),
  signature: section({
    inputs: listOf(input, 'inputs').optional(),
    outputs: listOf(output, 'outputs').optional(),
  }).optional(),
  task: task.optional(),
  batching: batching.optional(),
  sequence_batching: sequenceBatching.optional(),
  instances: instances.optional(),
  device: device.optional(),
  warm_up: warmUp.optional(),
  golden: listOf(golden, 'golden cases', 100).optional(),
  hyperparameters: mapOf(z.unknown(), 'names and values').optional(),
  framework: section({ name: text('text', 100), version: text('a version', 100).optional() }).optional(),
  dependencies: mapOf(text('a version', 100), 'package names and versions').optional(),
  training: section({
    run: text('text').optional(),
    data_sets: listOf(
      section({ role: text('a role, such as train or holdout', 100), reference: text('text') }),
      'data sets',
    ).optional(),
  }).optional(),
  metrics: listOf(
    section({ name: text('text', 100), value: number(), data_set: text('text').optional() }),
    'metrics',
  ).optional(),
});

export type ManifestSource = z.infer<typeof manifestSchema>;
