import type { MethodDefinition } from '@grpc/grpc-js';
import { requestProblem } from '@sluice/contracts/wire-check';
import { SluiceError } from '@sluice/domain/errors';

export type AnyDefinition = MethodDefinition<object, object>;

/** Message name for errors, such as `sluice.registry.v1.GetModelRequest` without its package. */
function requestName(definition: AnyDefinition): string {
  const type = (definition as { requestType?: { type?: { name?: string } } }).requestType?.type?.name;
  return type ?? 'request';
}

/**
 * Reads a request.
 *
 * @throws SluiceError invalid-argument when the bytes are no such message, or hold text that is not UTF-8
 */
export function decodeRequest(definition: AnyDefinition, bytes: Buffer): object {
  const problem = requestProblem(definition.path, bytes);
  if (problem !== undefined)
    throw new SluiceError('invalid-argument', `the bytes are no ${requestName(definition)} message: ${problem}`);
  try {
    return definition.requestDeserialize(bytes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SluiceError('invalid-argument', `the bytes are no ${requestName(definition)} message: ${why}`);
  }
}

/**
 * Writes an answer.
 *
 * @throws SluiceError internal when the value does not fit the message, resource-exhausted when it is too large
 */
export function encodeResponse(definition: AnyDefinition, value: object, maxBytes: number): Buffer {
  let bytes: Uint8Array;
  try {
    bytes = definition.responseSerialize(value);
  } catch (error) {
    throw new SluiceError('internal', 'internal error', { cause: error });
  }
  checkSize(bytes, maxBytes);
  return asBuffer(bytes);
}

/** @throws SluiceError resource-exhausted when an answer is over the limit */
export function checkSize(bytes: Uint8Array, maxBytes: number): void {
  if (bytes.byteLength > maxBytes)
    throw new SluiceError(
      'resource-exhausted',
      `the answer has ${bytes.byteLength} bytes, more than the limit of ${maxBytes}`,
    );
}

/** The pieces of a message as one: copied once, and not at all when there is one only. */
export function join(message: Uint8Array, more: readonly Uint8Array[]): Uint8Array {
  if (more.length === 0) return message;
  let at = message.byteLength;
  const whole = Buffer.allocUnsafe(more.reduce((sum, piece) => sum + piece.byteLength, at));
  whole.set(message);
  for (const piece of more) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

/** A view of the same bytes. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
