export type MetadataValue = string | Buffer;

/** What a handler may give as metadata: ours, or that of grpc-js. */
export interface MetadataLike {
  toHttp2Headers(): Record<string, unknown>;
}

const keyForm = /^[0-9a-z_.-]+$/;
const valueForm = /^[ -~]*$/;

const isBinary = (key: string): boolean => key.endsWith('-bin');

/** Values by key. Those of bytes that came are still in base64: they are decoded where they are asked for, each time anew. */
type Values = Map<string, MetadataValue[]>;

/** @param fields names and values in turn, as they come */
function read(fields: readonly string[]): Values {
  const values: Values = new Map();
  for (let at = 0; at < fields.length; at += 2) {
    const key = fields[at]!;
    const value = fields[at + 1]!;
    // Several may have been joined on their way.
    const parts = isBinary(key) ? value.split(',') : [value];
    const before = values.get(key);
    if (before === undefined) values.set(key, parts);
    else before.push(...parts);
  }
  return values;
}

const meant = (key: string, value: MetadataValue): MetadataValue =>
  typeof value === 'string' && isBinary(key) ? Buffer.from(value, 'base64') : value;

/**
 * Metadata of a call, with the methods that handlers of grpc-js know. Values of keys that end with "-bin" are bytes, all
 * others text.
 */
export class Metadata implements MetadataLike {
  #values: Values = new Map();
  /** Others have these values too: they are copied before the first change. */
  #isShared = false;

  /** @param fields names and values in turn, as they come: octets as Latin-1, bytes in base64 */
  static fromFields(fields: readonly string[]): Metadata {
    const metadata = new Metadata();
    metadata.#values = read(fields);
    return metadata;
  }

  /** In place of whatever the key had. */
  set(key: string, value: MetadataValue): void {
    const name = checkedKey(key);
    this.#own().set(name, [checkedValue(name, value)]);
  }

  /** Behind whatever the key has. */
  add(key: string, value: MetadataValue): void {
    const name = checkedKey(key);
    this.#append(name, checkedValue(name, value));
  }

  remove(key: string): void {
    this.#own().delete(checkedKey(key));
  }

  get(key: string): MetadataValue[] {
    const name = key.toLowerCase();
    return (this.#values.get(name) ?? []).map((value) => meant(name, value));
  }

  /** The first value of each key. */
  getMap(): Record<string, MetadataValue> {
    return Object.fromEntries([...this.#values].map(([key, [first]]) => [key, meant(key, first!)]));
  }

  /** One that changes by itself. It costs next to nothing before one of the two is changed. */
  clone(): Metadata {
    const copy = new Metadata();
    copy.#values = this.#values;
    copy.#isShared = this.#isShared = true;
    return copy;
  }

  /** Adds all values of another. */
  merge(other: Metadata): void {
    for (const [key, values] of other.#values) for (const value of [...values]) this.#append(key, value);
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
        values.map((value) => {
          const each = meant(key, value);
          return typeof each === 'string' ? each : unpadded(each);
        }),
      ]),
    );
  }

  toJSON(): Record<string, MetadataValue[]> {
    return Object.fromEntries([...this.#values].map(([key, values]) => [key, values.map((each) => meant(key, each))]));
  }

  #own(): Values {
    if (this.#isShared) this.#values = new Map([...this.#values].map(([key, values]) => [key, [...values]]));
    this.#isShared = false;
    return this.#values;
  }

  #append(key: string, value: MetadataValue): void {
    const own = this.#own();
    const values = own.get(key);
    if (values === undefined) own.set(key, [value]);
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
