import type { ModelSequenceBatching } from '@sluice/contracts/gen/inference/ModelSequenceBatching';
import type { ControlInput, ControlKind, SequenceBatching, SequenceState } from '@sluice/domain/sequence-batching';
import { modelDatatypes } from './model-datatypes.ts';

const kinds = {
  start: 'CONTROL_SEQUENCE_START',
  ready: 'CONTROL_SEQUENCE_READY',
  end: 'CONTROL_SEQUENCE_END',
  corrid: 'CONTROL_SEQUENCE_CORRID',
} as const satisfies Record<ControlKind, string>;

/** Triton's ModelSequenceBatching of a version. */
export function sequenceBatchingOf(sequences: SequenceBatching): ModelSequenceBatching {
  return {
    maxSequenceIdleMicroseconds: sequences.maxSequenceIdleMicroseconds,
    direct: {
      maxQueueDelayMicroseconds: sequences.maxQueueDelayMicroseconds,
      minimumSlotUtilization: sequences.minimumSlotUtilization,
    },
    controlInput: sequences.controlInputs.map((input) => ({ name: input.name, control: [controlOf(input)] })),
    state: sequences.states.map(stateOf),
  };
}

function controlOf({ kind, datatype, falseValue, trueValue }: ControlInput) {
  if (kind === 'corrid') return { kind: kinds[kind], dataType: modelDatatypes[datatype] };
  switch (datatype) {
    case 'INT32':
      return { kind: kinds[kind], int32FalseTrue: [falseValue, trueValue] };
    case 'FP32':
      return { kind: kinds[kind], fp32FalseTrue: [falseValue, trueValue] };
    default:
      return { kind: kinds[kind], boolFalseTrue: [falseValue !== 0, trueValue !== 0] };
  }
}

/** Data of its own stand in a file of the folder that was pushed; only their bytes are known here. */
function stateOf({ inputName, outputName, datatype, dims, initialBase64 }: SequenceState) {
  const dataType = modelDatatypes[datatype];
  const initial = { name: 'initial', dataType, dims: [...dims] };
  return {
    ...{ inputName, outputName, dataType },
    dims: [...dims],
    initialState: [initialBase64 === '' ? { ...initial, zeroData: true } : { ...initial, dataFile: 'given at push' }],
  };
}
