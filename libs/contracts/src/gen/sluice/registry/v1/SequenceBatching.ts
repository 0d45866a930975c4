// Original file: protos/sluice/registry/v1/types.proto

import type { DirectSequences as _sluice_registry_v1_DirectSequences, DirectSequences__Output as _sluice_registry_v1_DirectSequences__Output } from '../../../sluice/registry/v1/DirectSequences.ts';
import type { ControlInput as _sluice_registry_v1_ControlInput, ControlInput__Output as _sluice_registry_v1_ControlInput__Output } from '../../../sluice/registry/v1/ControlInput.ts';
import type { SequenceState as _sluice_registry_v1_SequenceState, SequenceState__Output as _sluice_registry_v1_SequenceState__Output } from '../../../sluice/registry/v1/SequenceState.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * Requests of a sequence run one after the other, each on the state that the one before left.
 */
export interface SequenceBatching {
  /**
   * A sequence that has had no request for so long is over.
   */
  'maxSequenceIdleMicroseconds'?: (number | string | Long);
  'direct'?: (_sluice_registry_v1_DirectSequences | null);
  /**
   * Inputs of the graph that the runtime fills; they are not in the signature.
   */
  'controlInputs'?: (_sluice_registry_v1_ControlInput)[];
  /**
   * Tensors that the runtime keeps for each sequence. Their inputs are not in the signature; their outputs are where
   * clients get them too.
   */
  'states'?: (_sluice_registry_v1_SequenceState)[];
  /**
   * How sequences get their slots. One that is not known here is a setting of later software.
   */
  'strategy'?: "direct";
}

/**
 * Requests of a sequence run one after the other, each on the state that the one before left.
 */
export interface SequenceBatching__Output {
  /**
   * A sequence that has had no request for so long is over.
   */
  'maxSequenceIdleMicroseconds': (string);
  'direct'?: (_sluice_registry_v1_DirectSequences__Output | null);
  /**
   * Inputs of the graph that the runtime fills; they are not in the signature.
   */
  'controlInputs': (_sluice_registry_v1_ControlInput__Output)[];
  /**
   * Tensors that the runtime keeps for each sequence. Their inputs are not in the signature; their outputs are where
   * clients get them too.
   */
  'states': (_sluice_registry_v1_SequenceState__Output)[];
  /**
   * How sequences get their slots. One that is not known here is a setting of later software.
   */
  'strategy'?: "direct";
}
