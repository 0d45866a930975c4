import type { ControlInput__Output } from '@sluice/contracts/gen/sluice/registry/v1/ControlInput';
import type { ControlKind__Output } from '@sluice/contracts/gen/sluice/registry/v1/ControlKind';
import type { SequenceBatching__Output } from '@sluice/contracts/gen/sluice/registry/v1/SequenceBatching';
import type { SequenceState__Output } from '@sluice/contracts/gen/sluice/registry/v1/SequenceState';
import { type Datatype, isDatatype } from '@sluice/domain/datatype';
import { SluiceError } from '@sluice/domain/errors';
import type { ControlInput, ControlKind, SequenceBatching, SequenceState } from '@sluice/domain/sequence-batching';

const kinds: Partial<Record<ControlKind__Output, ControlKind>> = {
  CONTROL_KIND_START: 'start',
  CONTROL_KIND_READY: 'ready',
  CONTROL_KIND_END: 'end',
  CONTROL_KIND_CORRID: 'corrid',
};

const notKnown = (what: string): SluiceError =>
  new SluiceError('data-loss', `the registry sent ${what}, not known here`);

/**
 * How a version's sequences are kept apart, as the registry sent it.
 * @throws SluiceError data-loss for what only later software knows
 */
export function decodeSequences(message: SequenceBatching__Output): SequenceBatching {
  // Another strategy comes as none.
  if (!message.direct) throw notKnown('a strategy of sequence_batching that is not direct');
  return {
    maxSequenceIdleMicroseconds: Number(message.maxSequenceIdleMicroseconds),
    maxQueueDelayMicroseconds: Number(message.direct.maxQueueDelayMicroseconds),
    minimumSlotUtilization: message.direct.minimumSlotUtilization,
    controlInputs: message.controlInputs.map(control),
    states: message.states.map(state),
  };
}

function datatypeOf(datatype: string, tensor: string): Datatype {
  if (isDatatype(datatype)) return datatype;
  throw notKnown(`tensor "${tensor}" with datatype "${datatype}"`);
}

function control(message: ControlInput__Output): ControlInput {
  const { name, falseValue, trueValue } = message;
  const kind = kinds[message.kind];
  if (!kind) throw notKnown(`control ${message.kind}`);
  return {
    ...{ name, kind, falseValue, trueValue },
    datatype: datatypeOf(message.datatype, name),
    dims: message.dims.map(Number),
  };
}

function state(message: SequenceState__Output): SequenceState {
  const { inputName, outputName, initialState } = message;
  if (!initialState) throw notKnown(`an initial state of "${inputName}"`);
  return {
    ...{ inputName, outputName },
    datatype: datatypeOf(message.datatype, inputName),
    dims: message.dims.map(Number),
    initialBase64: initialState === 'rawData' ? Buffer.from(message.rawData!).toString('base64') : '',
  };
}
