/** Writes protobuf messages as lists of byte pieces, so that 100 MB of weights are copied once, at the end. */
export class ProtoWriter {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  /** A varint field: integers, booleans and enums. Negative values are not needed here. */
  int(field: number, value: number): this {
    return this.#varint(field * 8).#varint(value);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#varint(field * 8 + 2)
      .#varint(value.length)
      .#push(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  message(field: number, value: ProtoWriter): this {
    this.#varint(field * 8 + 2).#varint(value.#length);
    for (const piece of value.#pieces) this.#push(piece);
    return this;
  }

  finish(): Buffer {
    return Buffer.concat(this.#pieces, this.#length);
  }

  #varint(value: number): this {
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 128) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
    return this.#push(Uint8Array.from(bytes));
  }

  #push(piece: Uint8Array): this {
    this.#pieces.push(piece);
    this.#length += piece.length;
    return this;
  }
}
