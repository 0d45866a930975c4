export type MetadataValue = string | Buffer;

/** What a handler may give as metadata: ours, or that of grpc-js. */
export interface MetadataLike {
  toHttp2Headers(): Record<string, unknown>;
}

const keyForm = /^[0-9a-z_.-]+$/;
const valueForm = /^[ -~]*$/;

const isBinary = (key: string): boolean => key.endsWith('-bin');

/**
 * Metadata of a call, with the methods that handlers of grpc-js know. Values of keys that end with "-bin" are bytes, all
 * others text.
 */
export class Metadata implements MetadataLike {
  readonly #values = new Map<string, MetadataValue[]>();

  /** @param fields names and values in turn, as they come: octets as Latin-1, bytes in base64 */
  static fromFields(fields: readonly string[]): Metadata {
    const metadata = new Metadata();
    for (let at = 0; at < fields.length; at += 2) {
      const key = fields[at]!;
      const value = fields[at + 1]!;
      if (!isBinary(key)) metadata.#append(key, value);
      // Several may have been joined on their way.
      else for (const each of value.split(',')) metadata.#append(key, Buffer.from(each, 'base64'));
    }
    return metadata;
  }

  /** In place of whatever the key had. */
  set(key: string, value: MetadataValue): void {
    const name = checkedKey(key);
    this.#values.set(name, [checkedValue(name, value)]);
  }

  /** Behind whatever the key has. */
  add(key: string, value: MetadataValue): void {
    const name = checkedKey(key);
    this.#append(name, checkedValue(name, value));
  }

  remove(key: string): void {
    this.#values.delete(checkedKey(key));
  }

  get(key: string): MetadataValue[] {
    return [...(this.#values.get(key.toLowerCase()) ?? [])];
  }

  /** The first value of each key. */
  getMap(): Record<string, MetadataValue> {
    return Object.fromEntries([...this.#values].map(([key, [first]]) => [key, first!]));
  }

  clone(): Metadata {
    const copy = new Metadata();
    copy.merge(this);
    return copy;
  }

  /** Adds all values of another. */
  merge(other: Metadata): void {
    for (const [key, values] of other.#values) for (const value of values) this.#append(key, value);
  }

  setOptions(): void {
    // Options of grpc-js are for calls of a client; a server has no use for them.
  }

  getOptions(): Record<string, never> {
    return {};
  }

  toHttp2Headers(): Record<string, string[]> {
    return Object.fromEntries(
      [...this.#values].map(([key, values]) => [
        key,
        values.map((value) => (typeof value === 'string' ? value : unpadded(value))),
      ]),
    );
  }

  toJSON(): Record<string, MetadataValue[]> {
    return Object.fromEntries(this.#values);
  }

  #append(key: string, value: MetadataValue): void {
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, [value]);
    else values.push(value);
  }
}

function checkedKey(key: string): string {
  const name = key.toLowerCase();
  if (!keyForm.test(name))
    throw new Error(`metadata: the key ${JSON.stringify(key)} has other than 0-9, a-z, "_", "-", "."`);
  return name;
}

function checkedValue(key: string, value: MetadataValue): MetadataValue {
  if (isBinary(key) !== (typeof value !== 'string'))
    throw new Error(
      `metadata: ${key} takes ${isBinary(key) ? 'bytes' : 'text: only keys that end with "-bin" take bytes'}`,
    );
  if (typeof value === 'string' && !valueForm.test(value))
    throw new Error(`metadata: the value of ${key} has other than printable ASCII`);
  return value;
}

const unpadded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64').replace(/=+$/, '');

/** Fields of the protocols themselves, which no metadata is, and names that no field may have (RFC 9113, sections 8.2.1 and 8.2.2). */
const reserved =
  /:|^(?:grpc-(?:status|message|timeout|encoding|accept-encoding|message-type)|content-type|te|user-agent|content-length|host|connection|proxy-connection|keep-alive|transfer-encoding|upgrade)$/;

/** @param name in lower case */
export const isReserved = (name: string): boolean => reserved.test(name);

/**
 * Names and values in turn, as they are sent. What the protocol has fields for is left out, and white space at the ends of
 * values, which no field may have.
 */
export function fieldsOf(metadata: MetadataLike | undefined | null): string[] {
  const fields: string[] = [];
  if (!metadata) return fields;
  for (const [key, given] of Object.entries(metadata.toHttp2Headers())) {
    if (isReserved(key)) continue;
    const values: unknown[] = Array.isArray(given) ? given : [given];
    for (const value of values) {
      // grpc-js gives bytes in base64 already.
      const text = value instanceof Uint8Array ? unpadded(value) : String(value);
      fields.push(key, text.trim());
    }
  }
  return fields;
}
