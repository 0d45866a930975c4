import { invalidArgument } from '@sluice/domain/errors';
import { classCount, classificationParameter } from './classification.ts';
import { limits } from './limits.ts';
import { checkRequestParameter, noParameters, readParameter } from './parameters.ts';
import type { Parameters, ParameterValue } from './parameters.ts';
import { wireType, WireReader } from './wire-reader.ts';

/** Where the parts of one input lie in its request. */
export interface InputLayout {
  nameStart: number;
  nameEnd: number;
  datatypeStart: number;
  datatypeEnd: number;
  readonly shape: number[];
  /** Start and end of each piece of `contents`; undefined when the field was not sent. */
  contents: number[] | undefined;
}

/** A ModelInferRequest taken apart, not yet compared with any signature. */
export interface RequestLayout {
  readonly reader: WireReader;
  modelName: string;
  modelVersion: string;
  id: string;
  parameters: Parameters;
  readonly inputs: InputLayout[];
  /** Start and end of the name of each requested output. */
  readonly outputs: number[];
  /** How many classes are wanted of each requested output, 0 for the output itself; undefined when of none. */
  classes: number[] | undefined;
  /** Start and end of each raw entry. */
  readonly raw: number[];
}

/** Takes a ModelInferRequest apart; tensor bytes are only located. */
export function readLayout(request: Uint8Array): RequestLayout {
  const reader = new WireReader(request, 'ModelInferRequest');
  const layout: RequestLayout = {
    reader,
    modelName: '',
    modelVersion: '',
    id: '',
    parameters: noParameters,
    inputs: [],
    outputs: [],
    classes: undefined,
    raw: [],
  };
  let parameters: Map<string, ParameterValue> | undefined;
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        layout.modelName = reader.string('model_name');
        break;
      case 2:
        layout.modelVersion = reader.string('model_version');
        break;
      case 3:
        layout.id = reader.string('id');
        break;
      case 4:
        parameters ??= new Map();
        readParameter(reader, 'parameters', parameters);
        break;
      case 5:
        bound(layout.inputs.length, 'inputs');
        layout.inputs.push(readInput(reader, layout.inputs.length));
        break;
      case 6:
        bound(layout.outputs.length / 2, 'outputs');
        readOutput(reader, layout);
        break;
      case 7:
        bound(layout.raw.length / 2, 'raw_input_contents');
        readRaw(reader, layout.raw);
        break;
      default:
        reader.skip();
    }
  }
  if (parameters) {
    for (const [key, value] of parameters) checkRequestParameter(key, value);
    layout.parameters = parameters;
  }
  return layout;
}

function bound(count: number, field: string): void {
  if (count >= limits.tensors) throw invalidArgument(`${field}: more than ${limits.tensors} entries`);
}

function readRaw(reader: WireReader, into: number[]): void {
  reader.expect(wireType.bytes, 'raw_input_contents');
  const end = reader.length('raw_input_contents');
  into.push(reader.pos, end);
  reader.pos = end;
}

function readInput(reader: WireReader, index: number): InputLayout {
  const input: InputLayout = {
    nameStart: 0,
    nameEnd: 0,
    datatypeStart: 0,
    datatypeEnd: 0,
    shape: [],
    contents: undefined,
  };
  const outer = reader.enter('inputs');
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        reader.expect(wireType.bytes, 'inputs.name');
        input.nameEnd = reader.length('inputs.name');
        input.nameStart = reader.pos;
        reader.pos = input.nameEnd;
        break;
      case 2:
        reader.expect(wireType.bytes, 'inputs.datatype');
        input.datatypeEnd = reader.length('inputs.datatype');
        input.datatypeStart = reader.pos;
        reader.pos = input.datatypeEnd;
        break;
      case 3:
        readShape(reader, index, input.shape);
        break;
      case 4:
        checkInputParameter(reader, `inputs[${index}].parameters`);
        break;
      case 5: {
        reader.expect(wireType.bytes, 'inputs.contents');
        const end = reader.length('inputs.contents');
        (input.contents ??= []).push(reader.pos, end);
        reader.pos = end;
        break;
      }
      default:
        reader.skip();
    }
  }
  reader.leave(outer);
  return input;
}

function readShape(reader: WireReader, index: number, shape: number[]): void {
  if (reader.type === wireType.varint) {
    pushDimension(reader, index, shape);
    return;
  }
  const outer = reader.enter('inputs.shape');
  while (reader.pos < reader.end) pushDimension(reader, index, shape);
  reader.leave(outer);
}

function pushDimension(reader: WireReader, index: number, shape: number[]): void {
  if (shape.length >= limits.rank) {
    throw invalidArgument(`inputs[${index}].shape: more than ${limits.rank} dimensions`);
  }
  shape.push(reader.int64('inputs.shape'));
}

function readOutput(reader: WireReader, layout: RequestLayout): void {
  const index = layout.outputs.length / 2;
  const outer = reader.enter('outputs');
  let start = reader.pos;
  let end = start;
  let parameters: Map<string, ParameterValue> | undefined;
  while (reader.next()) {
    if (reader.field === 1) {
      reader.expect(wireType.bytes, 'outputs.name');
      end = reader.length('outputs.name');
      start = reader.pos;
      reader.pos = end;
    } else if (reader.field === 2) {
      readParameter(reader, `outputs[${index}].parameters`, (parameters ??= new Map<string, ParameterValue>()));
    } else reader.skip();
  }
  reader.leave(outer);
  layout.outputs.push(start, end);
  if (!parameters) return;
  checkTensorParameters(parameters, `outputs[${index}].parameters`);
  const wanted = parameters.get(classificationParameter);
  if (!wanted) return;
  layout.classes ??= [];
  while (layout.classes.length < index) layout.classes.push(0);
  layout.classes.push(classCount(wanted, reader.text(start, end, `outputs[${index}].name`)));
}

function checkInputParameter(reader: WireReader, field: string): void {
  const parameters = new Map<string, ParameterValue>();
  readParameter(reader, field, parameters);
  if (parameters.has(classificationParameter)) {
    throw invalidArgument(`${field}: ${classificationParameter} is a parameter of outputs, not of inputs`);
  }
  checkTensorParameters(parameters, field);
}

/** Parameters that would change what a tensor's bytes mean; ignoring one would give a wrong answer. */
function checkTensorParameters(parameters: Parameters, field: string): void {
  for (const [key, value] of parameters) {
    if (key.startsWith('shared_memory_')) {
      throw invalidArgument(`${field}: shared memory is not supported; send the bytes in raw_input_contents`);
    }
    if (key === 'binary_data' && value.kind !== 'bool') {
      throw invalidArgument(`${field}: binary_data: expected bool, got ${value.kind}`);
    }
  }
}
