import { inferenceService } from '@sluice/contracts/services';
import type { GRPCInferenceServiceMethods, RequestOutput } from '@sluice/contracts/services';
import { isDatatype } from '@sluice/domain/datatype';

/** A built request as protobufjs reads it. */
export function readRequest(message: Uint8Array) {
  const { requestDeserialize } = inferenceService.definition['ModelInfer']!;
  const request = requestDeserialize(Buffer.from(message)) as RequestOutput<GRPCInferenceServiceMethods['modelInfer']>;
  return {
    ...request,
    inputs: request.inputs.map(({ name, datatype, shape }, index) => {
      if (!isDatatype(datatype)) throw new Error(datatype);
      return { name, datatype, shape: shape.map(Number), data: request.rawInputContents[index]! };
    }),
  };
}
