import { runtimeService } from '@sluice/contracts/services';

/** Frames of a link put together and taken apart by hand: what SPEC.md says, without the code that is tested. */

const link = Object.values(runtimeService.definition).find(({ originalName }) => originalName === 'link')!;

export const u8 = (...bytes: readonly number[]): Buffer => Buffer.from(bytes);

export function u16(number: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(number);
  return bytes;
}

export function u32(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((number, index) => bytes.writeUInt32LE(number, 4 * index));
  return bytes;
}

export function pairs(of: Readonly<Record<string, string>> = {}): Buffer {
  const entries = Object.entries(of).flatMap(([key, value]) => [
    ...[u8(Buffer.byteLength(key)), Buffer.from(key)],
    ...[u16(Buffer.byteLength(value)), Buffer.from(value)],
  ]);
  return Buffer.concat([u8(Object.keys(of).length), ...entries]);
}

/** @param rest one after the other */
export function frame(type: number, ...rest: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(rest);
  return Buffer.concat([u8(type), u32(body.length), body]);
}

export const requestOf = (call: number, total: number, bytes: Uint8Array): Buffer =>
  frame(2, u32(call), u8(0), u32(total, 0xffff_ffff), pairs(), bytes);
export const answerOf = (call: number, total: number, bytes: Uint8Array): Buffer =>
  frame(4, u32(call), u8(0), u32(total), pairs(), bytes);
export const failureOf = (call: number, code: number, text: string): Buffer =>
  frame(5, u32(call), u8(code), u32(text.length), pairs(), Buffer.from(text));
export const chunkOf = (call: number, bytes: Uint8Array): Buffer => frame(6, u32(call), bytes);
export const helloOf = (version: number, methods: readonly string[] = []): Buffer =>
  frame(
    1,
    u32(version, 4_194_304, 196_608, 1_048_576, 134_217_728),
    pairs(Object.fromEntries(methods.map((name) => [name, '']))),
  );

/** A message of the stream, as the contract's own codec writes it. */
export const message = (...frames: readonly Uint8Array[]): Buffer =>
  Buffer.from(link.requestSerialize({ frames: Buffer.concat(frames) }));

/** The frames of messages, each as a whole. */
export function framesOf(messages: readonly Buffer[]): Buffer[] {
  return messages.flatMap((each) => {
    const { frames } = link.requestDeserialize(each) as { frames: Buffer };
    const found: Buffer[] = [];
    for (let at = 0; at < frames.length; at += found.at(-1)!.length)
      found.push(frames.subarray(at, at + 5 + frames.readUInt32LE(at + 1)));
    return found;
  });
}

export const typesOf = (messages: readonly Buffer[]): number[] => framesOf(messages).map((each) => each[0]!);
