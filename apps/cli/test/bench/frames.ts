const headBytes = 5;

/** A gRPC message as it travels: not compressed, and its length before it. */
export function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(message.byteLength, 1);
  return Buffer.concat([head, message]);
}

/** Takes the messages out of the bytes of a gRPC stream. */
export class FrameReader {
  #rest = Buffer.alloc(0);

  /** Takes the next bytes. @param onMessage told of each message that is whole now */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const end = this.#rest.length < headBytes ? Infinity : headBytes + this.#rest.readUInt32BE(1);
      if (this.#rest.length < end) return;
      onMessage(this.#rest.subarray(headBytes, end));
      this.#rest = this.#rest.subarray(end);
    }
  }
}
