import type { ControlInput as ControlInputMessage } from '@sluice/contracts/gen/sluice/registry/v1/ControlInput';
import type { SequenceBatching as SequencesMessage } from '@sluice/contracts/gen/sluice/registry/v1/SequenceBatching';
import type { SequenceState as StateMessage } from '@sluice/contracts/gen/sluice/registry/v1/SequenceState';
import type { ControlInput, ControlKind, SequenceBatching, SequenceState } from '@sluice/domain/sequence-batching';

const kinds = {
  start: 'CONTROL_KIND_START',
  ready: 'CONTROL_KIND_READY',
  end: 'CONTROL_KIND_END',
  corrid: 'CONTROL_KIND_CORRID',
} as const satisfies Record<ControlKind, string>;

/** How a version's sequences are kept apart, as a message. */
export function encodeSequences(sequences: SequenceBatching): SequencesMessage {
  return {
    maxSequenceIdleMicroseconds: sequences.maxSequenceIdleMicroseconds,
    direct: {
      maxQueueDelayMicroseconds: sequences.maxQueueDelayMicroseconds,
      minimumSlotUtilization: sequences.minimumSlotUtilization,
    },
    controlInputs: sequences.controlInputs.map(encodeControl),
    states: sequences.states.map(encodeState),
  };
}

/** What those need who run nothing of it: the data of states left out. */
export function withoutStateData(sequences: SequenceBatching): SequenceBatching {
  return { ...sequences, states: sequences.states.map((state) => ({ ...state, initialBase64: '' })) };
}

const encodeControl = (control: ControlInput): ControlInputMessage => ({
  ...control,
  kind: kinds[control.kind],
  dims: [...control.dims],
});

function encodeState({ initialBase64, dims, ...state }: SequenceState): StateMessage {
  const initial = initialBase64 === '' ? { zeroData: true } : { rawData: Buffer.from(initialBase64, 'base64') };
  return { ...state, dims: [...dims], ...initial };
}
