import type { Datatype } from '@sluice/domain/datatype';
import { datatypeBytes, isDatatype } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { responseFields, writeMessage } from './message-writer.ts';
import type { TensorPart } from './message-writer.ts';
import { noParameters, readParameter } from './parameters.ts';
import type { Parameters, ParameterValue } from './parameters.ts';
import { wireType, WireReader } from './wire-reader.ts';

export interface InferResponseParts {
  readonly modelName: string;
  /** The number of the version that ran. */
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters?: Parameters;
  readonly outputs: readonly TensorPart[];
}

/**
 * Builds a ModelInferResponse in one buffer of its exact size. Each output's bytes are copied once, straight from the
 * view that is given.
 * @throws RangeError when an output's bytes do not fit its shape
 */
export function buildInferResponse(parts: InferResponseParts): Buffer {
  return writeMessage(
    {
      modelName: parts.modelName,
      modelVersion: parts.modelVersion,
      id: parts.id,
      parameters: parts.parameters ?? noParameters,
      tensors: parts.outputs,
      outputs: [],
    },
    responseFields,
  );
}

/** One output of an answer; `data` is a view of the answer's bytes. */
export interface InferOutput {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export interface InferResponse {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id: string;
  readonly parameters: Parameters;
  readonly outputs: readonly InferOutput[];
}

/**
 * Reads a ModelInferResponse whose tensors are in raw_output_contents, as every answer of Sluice has them.
 * @throws SluiceError invalid-argument when it is malformed or has typed contents
 */
export function readInferResponse(response: Uint8Array): InferResponse {
  const reader = new WireReader(response, 'ModelInferResponse');
  const text = { modelName: '', modelVersion: '', id: '' };
  let parameters: Map<string, ParameterValue> | undefined;
  const heads: Omit<InferOutput, 'data'>[] = [];
  const raw: Uint8Array[] = [];
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        text.modelName = reader.string('model_name');
        break;
      case 2:
        text.modelVersion = reader.string('model_version');
        break;
      case 3:
        text.id = reader.string('id');
        break;
      case 4:
        readParameter(reader, 'parameters', (parameters ??= new Map<string, ParameterValue>()));
        break;
      case 5:
        heads.push(readOutputHead(reader));
        break;
      case 6: {
        reader.expect(wireType.bytes, 'raw_output_contents');
        const end = reader.length('raw_output_contents');
        raw.push(reader.bytes.subarray(reader.pos, end));
        reader.pos = end;
        break;
      }
      default:
        reader.skip();
    }
  }
  if (raw.length !== heads.length) {
    throw invalidArgument(`raw_output_contents: expected ${heads.length} entries, one per output, got ${raw.length}`);
  }
  const outputs = heads.map((head, index) => checkData({ ...head, data: raw[index]! }));
  return { ...text, parameters: parameters ?? noParameters, outputs };
}

function readOutputHead(reader: WireReader): Omit<InferOutput, 'data'> {
  const outer = reader.enter('outputs');
  let name = '';
  let datatype = '';
  const shape: number[] = [];
  while (reader.next()) {
    if (reader.field === 1) name = reader.string('outputs.name');
    else if (reader.field === 2) datatype = reader.string('outputs.datatype');
    else if (reader.field === 3) readShape(reader, shape);
    else reader.skip();
  }
  reader.leave(outer);
  if (!isDatatype(datatype)) throw invalidArgument(`output '${clip(name)}': "${clip(datatype)}" is not a datatype`);
  return { name, datatype, shape };
}

function checkData(output: InferOutput): InferOutput {
  let elements = 1;
  for (const dimension of output.shape) elements *= dimension;
  const size = datatypeBytes[output.datatype];
  const shape = `output '${clip(output.name)}': shape [${output.shape.join(',')}] of ${output.datatype}`;
  if (output.shape.some((dimension) => dimension < 0)) throw invalidArgument(`${shape} has a negative dimension`);
  if (size > 0 && elements * size !== output.data.byteLength) {
    throw invalidArgument(`${shape} takes ${elements * size} bytes, got ${output.data.byteLength}`);
  }
  return output;
}

function readShape(reader: WireReader, shape: number[]): void {
  if (reader.type === wireType.varint) {
    shape.push(reader.int64('outputs.shape'));
    return;
  }
  const outer = reader.enter('outputs.shape');
  while (reader.pos < reader.end) shape.push(reader.int64('outputs.shape'));
  reader.leave(outer);
}
