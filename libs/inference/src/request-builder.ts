import { requestFields, writeMessage } from './message-writer.ts';
import type { TensorPart } from './message-writer.ts';
import { noParameters } from './parameters.ts';
import type { Parameters } from './parameters.ts';

export interface InferRequestParts {
  readonly modelName: string;
  /** A number or an alias; empty or absent means the model's release. */
  readonly modelVersion?: string;
  readonly id?: string;
  readonly parameters?: Parameters;
  readonly inputs: readonly TensorPart[];
  /** Names of the outputs that are wanted; absent or empty means all. */
  readonly outputs?: readonly string[];
}

/**
 * Builds a ModelInferRequest with raw_input_contents in one buffer of its exact size.
 * @throws RangeError when an input's bytes do not fit its shape
 */
export function buildInferRequest(parts: InferRequestParts): Buffer {
  return writeMessage(
    {
      modelName: parts.modelName,
      modelVersion: parts.modelVersion ?? '',
      id: parts.id ?? '',
      parameters: parts.parameters ?? noParameters,
      tensors: parts.inputs,
      outputs: parts.outputs ?? [],
    },
    requestFields,
  );
}
