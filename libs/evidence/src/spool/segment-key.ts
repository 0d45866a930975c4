import { createCipheriv, createDecipheriv } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { headerBytes, tagBytes, writeHeader } from './frame.ts';
import type { FrameHeader } from './frame.ts';

/** Wraps the keys of segments: it never leaves the process, and they do so only wrapped. */
export interface KeyEncryptionKey {
  /** Tells keys apart after a rotation: 1 to 64 bytes of UTF-8. */
  readonly id: string;
  /** 32 octets. */
  readonly key: Uint8Array;
}

export const keyBytes = 32;
const nonceBytes = 12;
const algorithm = 'aes-256-gcm';
/** `SSK`, and the version of the layout. */
const keyMagic = Buffer.from([0x53, 0x53, 0x4b, 1]);

/** Why a file does not give its key. */
export type KeyProblem = { readonly problem: string };

/**
 * The key of one segment. Each block is encrypted under it once, with its position as the nonce: positions ascend, and a file
 * that another process wrote is never written on. The number of the segment and the header of the frame are authenticated too.
 */
export class SegmentKey {
  readonly #key: Buffer;
  readonly #nonce = Buffer.alloc(nonceBytes);
  /** Number of the segment, and the header of a frame. */
  readonly #authenticated = Buffer.alloc(8 + headerBytes);

  /** @param key 32 random octets, which this object owns from here on */
  constructor(key: Buffer, sequence: number) {
    this.#key = key;
    this.#authenticated.writeDoubleLE(sequence, 0);
  }

  /** Writes a frame at `from`, where `frameOverhead` and the block have room. An empty block makes a mark. */
  seal(into: Buffer, from: number, position: number, timeMs: number, block: Uint8Array): void {
    writeHeader(into, from, position, block.length, timeMs);
    const cipher = createCipheriv(algorithm, this.#key, this.#nonceOf(position, block.length));
    into.copy(this.#authenticated, 8, from, from + headerBytes);
    cipher.setAAD(this.#authenticated);
    into.set(cipher.update(block), from + headerBytes);
    cipher.final();
    into.set(cipher.getAuthTag(), from + headerBytes + block.length);
  }

  /** @returns the block of the frame that lies whole at `from`; undefined when it is not what was written */
  open(bytes: Buffer, from: number, { position, length }: FrameHeader): Buffer | undefined {
    const decipher = createDecipheriv(algorithm, this.#key, this.#nonceOf(position, length));
    bytes.copy(this.#authenticated, 8, from, from + headerBytes);
    decipher.setAAD(this.#authenticated);
    const end = from + headerBytes + length;
    decipher.setAuthTag(bytes.subarray(end, end + tagBytes));
    const block = decipher.update(bytes.subarray(from + headerBytes, end));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return block;
  }

  /** Forgets it. */
  destroy(): void {
    this.#key.fill(0);
  }

  /** The file that goes beside the segment. */
  wrapped({ id, key }: KeyEncryptionKey, nonce: Uint8Array): Buffer {
    const name = Buffer.from(id);
    const head = Buffer.concat([keyMagic, Buffer.from([name.length]), name]);
    const cipher = createCipheriv(algorithm, key, nonce);
    cipher.setAAD(Buffer.concat([this.#authenticated.subarray(0, 8), head]));
    const body = Buffer.concat([head, nonce, cipher.update(this.#key), cipher.final(), cipher.getAuthTag()]);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(crc32(body));
    return Buffer.concat([body, checksum]);
  }

  #nonceOf(position: number, length: number): Buffer {
    // A mark has the position of the block behind it.
    this.#nonce[0] = length === 0 ? 1 : 0;
    this.#nonce.writeDoubleLE(position, 4);
    return this.#nonce;
  }
}

/** Bytes that the file of a key takes. */
export const wrappedBytes = ({ id }: KeyEncryptionKey): number =>
  keyMagic.length + 1 + Buffer.byteLength(id) + nonceBytes + keyBytes + tagBytes + 4;

/** Reads the file of a segment's key; says what is wrong with it where it gives none. */
export function unwrap(file: Buffer, sequence: number, keys: readonly KeyEncryptionKey[]): SegmentKey | KeyProblem {
  const body = file.subarray(0, -4);
  const isWhole = file.length > keyMagic.length + 5 && crc32(body) === file.readUInt32LE(file.length - 4);
  if (!isWhole || !body.subarray(0, keyMagic.length).equals(keyMagic))
    return { problem: 'the file of its key is damaged' };
  const headEnd = keyMagic.length + 1 + body[keyMagic.length]!;
  const id = body.toString('utf8', keyMagic.length + 1, headEnd);
  const known = keys.find((each) => each.id === id);
  if (!known) return { problem: `its key is wrapped by key '${id}', which is not among those that were given` };
  const nonceEnd = headEnd + nonceBytes;
  const keyEnd = nonceEnd + keyBytes;
  if (body.length !== keyEnd + tagBytes) return { problem: 'the file of its key is damaged' };
  const decipher = createDecipheriv(algorithm, known.key, body.subarray(headEnd, nonceEnd));
  const number = Buffer.alloc(8);
  number.writeDoubleLE(sequence);
  decipher.setAAD(Buffer.concat([number, body.subarray(0, headEnd)]));
  decipher.setAuthTag(body.subarray(keyEnd));
  const key = decipher.update(body.subarray(nonceEnd, keyEnd));
  try {
    decipher.final();
  } catch {
    return { problem: `the key '${id}' that was given is not the one that wrapped its key` };
  }
  return new SegmentKey(key, sequence);
}
