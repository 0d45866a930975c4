import type { Datatype } from '@sluice/domain/datatype';
import { datatypeBytes, isDatatype } from '@sluice/domain/datatype';
import { copyContents, measureContents } from '@sluice/inference/contents';
import type { TensorValues } from '@sluice/inference/tensor-data';
import { decodeTensor } from '@sluice/inference/tensor-data';
import { wireType, WireReader } from '@sluice/inference/wire-reader';

/** One output of an answer. */
export interface Output {
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

interface Head {
  name: string;
  datatype: string;
  readonly shape: number[];
  /** Where typed contents lie: start and end of each piece. */
  readonly typed: number[];
}

/**
 * Decodes one output of a ModelInferResponse, raw or typed; the others are not looked at. Undefined when it is not there or cannot be
 * read: answers are what a model's runtime wrote, which need not be sound.
 */
export function readOutput(response: Uint8Array, name: string): Output | undefined {
  try {
    return outputOf(response, name);
  } catch {
    return undefined;
  }
}

function outputOf(response: Uint8Array, name: string): Output | undefined {
  const reader = new WireReader(response, 'ModelInferResponse');
  const heads: Head[] = [];
  const raw: Uint8Array[] = [];
  while (reader.next()) {
    if (reader.field === 5) heads.push(readHead(reader));
    else if (reader.field === 6) raw.push(pieceOf(reader));
    else reader.skip();
  }
  const index = heads.findIndex((head) => head.name === name);
  const head = heads[index];
  if (!head || !isDatatype(head.datatype)) return undefined;
  const { shape, datatype } = head;
  const bytes = raw.length > 0 ? raw[index] : typedBytes(reader.bytes, head.typed, datatype);
  if (bytes === undefined || (raw.length > 0 && raw.length !== heads.length)) return undefined;
  const size = datatypeBytes[datatype];
  let elements = 1;
  for (const dimension of shape) elements *= dimension;
  if (shape.some((dimension) => dimension < 0) || (size > 0 && bytes.length !== elements * size)) return undefined;
  const values = decodeTensor(datatype, bytes);
  return values.length === elements ? { shape, values } : undefined;
}

function readHead(reader: WireReader): Head {
  const outer = reader.enter('outputs');
  const head: Head = { name: '', datatype: '', shape: [], typed: [] };
  while (reader.next()) {
    if (reader.field === 1) head.name = reader.string('outputs.name');
    else if (reader.field === 2) head.datatype = reader.string('outputs.datatype');
    else if (reader.field === 3) readShape(reader, head.shape);
    else if (reader.field === 5) {
      reader.expect(wireType.bytes, 'outputs.contents');
      const end = reader.length('outputs.contents');
      head.typed.push(reader.pos, end);
      reader.pos = end;
    } else reader.skip();
  }
  reader.leave(outer);
  return head;
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

function pieceOf(reader: WireReader): Uint8Array {
  reader.expect(wireType.bytes, 'raw_output_contents');
  const end = reader.length('raw_output_contents');
  const piece = reader.bytes.subarray(reader.pos, end);
  reader.pos = end;
  return piece;
}

/** Typed contents in their raw form. */
function typedBytes(request: Buffer, ranges: readonly number[], datatype: Datatype): Uint8Array {
  const place = { request, ranges };
  const { elements, bytes } = measureContents(place, datatype, 'outputs');
  const into = new Uint8Array(bytes);
  copyContents(place, datatype, { into, pos: 0, from: 0, to: elements });
  return into;
}
