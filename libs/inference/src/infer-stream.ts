import { parameterSize, readParameter, writeParameter } from './parameters.ts';
import type { ParameterValue } from './parameters.ts';
import { WireReader, wireType } from './wire-reader.ts';
import { fieldSize, WireWriter } from './wire-writer.ts';

/** Asks for a mark on the last response of a request; every request here has one response. */
const wantsFinalKey = 'triton_enable_empty_final_response';
const isFinal: readonly [string, ParameterValue] = ['triton_final_response', { kind: 'bool', value: true }];
/** What an error without words says: an empty `error_message` would be no error. */
const noWords = 'the request failed';

/** A failure says again no model, version or id of more bytes: a request of 64 MiB is not to be answered by as much. */
const longestName = 4_096;

/**
 * The ModelStreamInferResponse that carries an answer. The answer's bytes become one `infer_response`, copied once; what is
 * added to an answer goes behind its bytes before this: field 2 that comes twice would lose tensors or parameters to
 * readers that do not merge messages.
 *
 * @param request the ModelInferRequest that was answered
 * @param answer the bytes of a ModelInferResponse, in pieces
 */
export function streamAnswer(request: Uint8Array, answer: readonly Uint8Array[]): Buffer {
  const marked = wantsFinalResponse(request);
  let length = marked ? parameterSize(...isFinal) : 0;
  for (const piece of answer) length += piece.byteLength;
  const writer = new WireWriter(fieldSize(length));
  writer.open(2, length);
  for (const piece of answer) writer.raw(piece);
  if (marked) writeParameter(writer, 4, ...isFinal);
  return writer.bytes;
}

/**
 * The ModelStreamInferResponse of a request that failed: `error_message`, and an `infer_response` with the request's model,
 * version and id alone. One of more than 4 KiB is left out, and all are where the request's bytes are no message.
 */
export function streamFailure(request: Uint8Array, message: string): Buffer {
  const text = message === '' ? noWords : message;
  const textLength = Buffer.byteLength(text);
  const names = namesOf(request).map((name) => ({ name, length: Buffer.byteLength(name) }));
  const inner = names.reduce((sum, { length }) => sum + (length === 0 ? 0 : fieldSize(length)), 0);
  const writer = new WireWriter(fieldSize(textLength) + fieldSize(inner));
  writer.string(1, text, textLength);
  writer.open(2, inner);
  for (const [index, { name, length }] of names.entries()) if (length > 0) writer.string(index + 1, name, length);
  return writer.bytes;
}

/** How ModelStreamInfer carries requests and answers, for a server's adapter of streams. */
export const inferStreamCodec = {
  answer: streamAnswer,
  failure: streamFailure,
  /** Triton's: the first error becomes the status of the stream. */
  endsAtFailure: (metadata: (key: string) => string | undefined): boolean => metadata('triton_grpc_error') === 'true',
} as const;

/** The request was answered, so its bytes are sound; its parameters are few and its tensors are stepped over. */
function wantsFinalResponse(request: Uint8Array): boolean {
  const reader = new WireReader(request, 'ModelInferRequest');
  let parameters: Map<string, ParameterValue> | undefined;
  while (reader.next()) {
    if (reader.field === 4) {
      parameters ??= new Map();
      readParameter(reader, 'parameters', parameters);
    } else reader.skip();
  }
  const value = parameters?.get(wantsFinalKey);
  return value?.kind === 'bool' && value.value;
}

/** Model, version and id of a request that may be anything. */
function namesOf(request: Uint8Array): [string, string, string] {
  const reader = new WireReader(request, 'ModelInferRequest');
  const names: [string, string, string] = ['', '', ''];
  try {
    while (reader.next()) {
      if (reader.field > 3) reader.skip();
      else names[reader.field - 1] = shortString(reader);
    }
  } catch {
    return ['', '', ''];
  }
  return names;
}

/** A string field, or nothing in place of one that is too long to be said again. */
function shortString(reader: WireReader): string {
  reader.expect(wireType.bytes, 'a name');
  const end = reader.length('a name');
  const start = reader.pos;
  reader.pos = end;
  return end - start > longestName ? '' : reader.text(start, end, 'a name');
}
