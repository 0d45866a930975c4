import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { datatypeOf } from './config-datatypes.ts';
import type { ConfigFields } from './config-fields.ts';

type Section = Readonly<Record<string, unknown>>;

/** What Triton's ModelSequenceBatching says, with the names of `sluice.yaml`. */
export interface ConfigSequences {
  /** Of the section `sequence_batching`, all but its states. */
  readonly section: Section;
  readonly states: readonly ConfigState[];
}

export interface ConfigState {
  readonly path: string;
  readonly inputName: string;
  readonly state: Section;
  /** It starts with what the version's own `sluice.yaml` says, whatever that is. */
  readonly keepsInitial: boolean;
}

/** What a ModelConfig of ours names as the file of an initial state that is not zeros: the runtime has its bytes alone. */
const keptFile = 'given at push';
const kinds = ['START', 'READY', 'END', 'CORRID'].map((kind) => `CONTROL_SEQUENCE_${kind}`);
const largest = 2 ** 31 - 1;

/**
 * Reads `sequence_batching`; undefined where it is not there. Only its form is looked at: admission holds it to the graph.
 * @throws SluiceError invalid-argument naming the field that cannot be read, or that asks for what is not there
 */
export function readSequences(config: ConfigFields): ConfigSequences | undefined {
  const said = config.message('sequence_batching');
  if (!said) return undefined;
  // A message that is empty chooses, too.
  if (said.message('oldest')) said.refuse('oldest', 'direct, the only strategy that there is');
  said.allow(['max_sequence_idle_microseconds', 'direct', 'control_input', 'state']);
  const direct = said.message('direct');
  direct?.allow(['max_queue_delay_microseconds', 'minimum_slot_utilization']);
  return {
    section: {
      // 0 is Triton's way to leave it to the default.
      max_sequence_idle_microseconds: said.whole('max_sequence_idle_microseconds') || undefined,
      ...(direct && {
        direct: {
          max_queue_delay_microseconds: direct.whole('max_queue_delay_microseconds'),
          minimum_slot_utilization: direct.number('minimum_slot_utilization'),
        },
      }),
      control_input: said.messages('control_input')?.map(readControl),
    },
    states: (said.messages('state') ?? []).map(readState),
  };
}

function readControl(input: ConfigFields): Section {
  input.allow(['name', 'control']);
  const [control, ...others] = input.messages('control') ?? [];
  if (!control || others.length > 0) input.refuse('control', 'one control');
  control.allow(['kind', 'int32_false_true', 'fp32_false_true', 'bool_false_true', 'data_type']);
  return {
    name: input.text('name') ?? '',
    control: (control.choice('kind', kinds) ?? kinds[0]!).replace('CONTROL_SEQUENCE_', '').toLowerCase(),
    int32_false_true: given(control.wholes('int32_false_true', largest, -largest - 1)),
    fp32_false_true: given(control.numbers('fp32_false_true')),
    bool_false_true: given(control.flags('bool_false_true')),
    data_type: datatypeOf(control),
  };
}

function readState(state: ConfigFields): ConfigState {
  // Where a state lies in memory is no one's business but the runtime's.
  state.allow(
    ['input_name', 'output_name', 'data_type', 'dims', 'initial_state'],
    ['use_same_buffer_for_input_output'],
  );
  const [initial, ...others] = state.messages('initial_state') ?? [];
  if (others.length > 0) state.refuse('initial_state', 'one at most');
  // They are the state's own.
  initial?.allow(['zero_data', 'data_file'], ['name', 'data_type', 'dims']);
  const file = initial?.text('data_file') || undefined;
  const zeros = initial?.flag('zero_data') || undefined;
  const inputName = state.text('input_name') ?? '';
  return {
    path: state.path,
    inputName,
    state: {
      input_name: inputName,
      output_name: state.text('output_name') ?? '',
      data_type: datatypeOf(state),
      dims: given(state.wholes('dims', undefined, -1)),
      ...(initial && { initial_state: { zero_data: zeros, data_file: file } }),
    },
    keepsInitial: file === keptFile,
  };
}

/** A list that is empty is one that is not there. */
const given = <T>(list: readonly T[] | undefined): readonly T[] | undefined => (list?.length ? list : undefined);

/**
 * The section `sequence_batching` of the `sluice.yaml` of a version.
 * @param own states of the version whose files are taken, as its own file has them
 * @throws SluiceError invalid-argument when an initial state is to stay as it is, and there is none
 */
export function writeSequences({ section, states }: ConfigSequences, own: readonly Section[]): Section {
  const written = states.map(({ path, inputName, state, keepsInitial }) => {
    if (!keepsInitial) return state;
    const initial = own.find((each) => each['input_name'] === inputName)?.['initial_state'];
    if (initial !== undefined) return { ...state, initial_state: initial };
    throw invalidArgument(
      `${path}.initial_state: data_file "${keptFile}" of "${clip(inputName)}": the version's sluice.yaml has no initial state of it`,
    );
  });
  return { ...section, ...(written.length > 0 && { state: written }) };
}
