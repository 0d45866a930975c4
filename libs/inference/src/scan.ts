import { checkRequestParameter, noParameters, readParameter } from './parameters.ts';
import type { Parameters, ParameterValue } from './parameters.ts';
import { wireType, WireReader } from './wire-reader.ts';

/** What a router needs of a ModelInferRequest. */
export interface RequestHeader {
  readonly modelName: string;
  /** As the caller wrote it: a number, an alias or nothing. */
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
}

/**
 * Reads the header fields of a ModelInferRequest and steps over its tensors without looking into them. Fields may come
 * in any order; of a scalar that comes more than once the last counts, as protobuf has it.
 * @throws SluiceError invalid-argument that names the field and the byte where the message is malformed, or the
 *   parameter that is reserved, unknown or of the wrong type
 */
export function scanInferRequest(request: Uint8Array): RequestHeader {
  const reader = new WireReader(request, 'ModelInferRequest');
  let modelName = '';
  let modelVersion = '';
  let id = '';
  let parameters: Map<string, ParameterValue> | undefined;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        modelName = reader.string('model_name');
        break;
      case 2:
        modelVersion = reader.string('model_version');
        break;
      case 3:
        id = reader.string('id');
        break;
      case 4:
        parameters ??= new Map();
        readParameter(reader, 'parameters', parameters);
        break;
      case 5:
        stepOver(reader, 'inputs');
        break;
      case 6:
        stepOver(reader, 'outputs');
        break;
      case 7:
        stepOver(reader, 'raw_input_contents');
        break;
      default:
        reader.skip();
    }
  }
  if (parameters) for (const [key, value] of parameters) checkRequestParameter(key, value);
  return { modelName, modelVersion, id, parameters: parameters ?? noParameters };
}

function stepOver(reader: WireReader, field: string): void {
  reader.expect(wireType.bytes, field);
  reader.pos = reader.length(field);
}
