import { readDatatype } from './config-datatype.ts';
import type { ConfigFields } from './config-fields.ts';

/** What a `sluice.yaml` says under `sequence_batching`, with its names, which are Triton's. */
export interface ConfigSequences {
  readonly [setting: string]: unknown;
  readonly state: readonly ConfigState[];
}

export interface ConfigState {
  /** Of the message in the `config`. */
  readonly path: string;
  /** `kept` means the values that the version's own `sluice.yaml` names for it. */
  readonly initial: 'zero' | 'kept' | { readonly data_file: string };
  readonly said: Readonly<Record<string, unknown>> & { readonly input_name: string };
}

/** What a ModelConfig of ours names as the file of values that stand in a file of the version. */
const ownValues = 'given at push';
/** Where Triton has the files that states name. */
const stateFolder = 'initial_state';

const kinds = [
  ...(['CONTROL_SEQUENCE_START', 'CONTROL_SEQUENCE_READY', 'CONTROL_SEQUENCE_END', 'CONTROL_SEQUENCE_CORRID'] as const),
];
const int32 = { min: -(2 ** 31), max: 2 ** 31 - 1 };

/** Reads Triton's ModelSequenceBatching; what it says is held to the graph by the registry. */
export function readSequenceBatching(section: ConfigFields | undefined): ConfigSequences | undefined {
  if (!section) return undefined;
  section.allow(['max_sequence_idle_microseconds', 'direct', 'control_input', 'state']);
  const direct = section.message('direct');
  direct?.allow(['max_queue_delay_microseconds', 'minimum_slot_utilization']);
  return {
    // As in Triton 0 is the default.
    max_sequence_idle_microseconds: section.whole('max_sequence_idle_microseconds') || undefined,
    direct: {
      max_queue_delay_microseconds: direct?.whole('max_queue_delay_microseconds'),
      minimum_slot_utilization: direct?.number('minimum_slot_utilization'),
    },
    control_input: (section.messages('control_input') ?? []).map(readControl),
    state: (section.messages('state') ?? []).map(readState),
  };
}

function readControl(input: ConfigFields): Readonly<Record<string, unknown>> {
  input.allow(['name', 'control']);
  const [control, ...others] = input.messages('control') ?? [];
  if (!control || others.length > 0) return input.refuse('control', 'one control for each input');
  control.allow(['kind', 'int32_false_true', 'fp32_false_true', 'bool_false_true', 'data_type']);
  const kind = control.choice('kind', kinds) ?? 'CONTROL_SEQUENCE_START';
  const pairs = {
    int32_false_true: control.wholes('int32_false_true', int32.max, int32.min),
    fp32_false_true: control.numbers('fp32_false_true'),
    bool_false_true: control.flags('bool_false_true'),
  };
  return {
    name: input.text('name') ?? '',
    control: kind.replace('CONTROL_SEQUENCE_', '').toLowerCase(),
    ...Object.fromEntries(Object.entries(pairs).filter(([, pair]) => pair !== undefined && pair.length > 0)),
    data_type: readDatatype(control),
  };
}

function readState(state: ConfigFields): ConfigState {
  state.allow(['input_name', 'output_name', 'data_type', 'dims', 'initial_state']);
  const [initial, ...others] = state.messages('initial_state') ?? [];
  if (others.length > 0) state.refuse('initial_state', 'one: all sequences start alike');
  initial?.allow(['zero_data', 'data_file'], ['data_type', 'dims', 'name']);
  const file = initial?.text('data_file') ?? '';
  return {
    path: state.path,
    initial: file === ownValues ? 'kept' : file === '' ? 'zero' : { data_file: `${stateFolder}/${file}` },
    said: {
      input_name: state.text('input_name') ?? '',
      output_name: state.text('output_name') ?? '',
      data_type: readDatatype(state),
      dims: state.wholes('dims', undefined, -1),
    },
  };
}
