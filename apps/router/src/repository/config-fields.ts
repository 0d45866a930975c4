import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';

/**
 * The fields of one message in protobuf's JSON: names in either spelling, 64-bit numbers as text too, enums by name or
 * number. Every failure names the field by its path, such as `config.instance_group[0].count`.
 */
export class ConfigFields {
  readonly path: string;
  readonly #values = new Map<string, unknown>();

  /** @throws SluiceError invalid-argument unless `value` is an object with each field at most once */
  constructor(value: unknown, path: string) {
    this.path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(path, 'an object', value);
    for (const [key, field] of Object.entries(value)) {
      const name = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      if (this.#values.has(name)) throw invalidArgument(`${path}.${clip(name)}: given twice`);
      // As protobuf has it: null is a field that is not there.
      if (field !== null) this.#values.set(name, field);
    }
  }

  whole(name: string, max = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : wholeOf(value, this.#at(name), max);
  }

  flag(name: string): boolean | undefined {
    return this.#typed(name, 'boolean', 'true or false') as boolean | undefined;
  }

  text(name: string): string | undefined {
    return this.#typed(name, 'string', 'text') as string | undefined;
  }

  /** @param names in the order of their numbers */
  choice<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    const found = typeof value === 'number' ? names[value] : names.find((each) => each === value);
    if (found === undefined) throw wrong(this.#at(name), `one of ${names.join(', ')}`, value);
    return found;
  }

  wholes(name: string, max?: number, min = 0): readonly number[] | undefined {
    return this.#list(name)?.map((value, index) => wholeOf(value, `${this.#at(name)}[${index}]`, max, min));
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : numberOf(value, this.#at(name));
  }

  numbers(name: string): readonly number[] | undefined {
    return this.#list(name)?.map((value, index) => numberOf(value, `${this.#at(name)}[${index}]`));
  }

  flags(name: string): readonly boolean[] | undefined {
    return this.#list(name)?.map((value, index) => {
      if (typeof value !== 'boolean') throw wrong(`${this.#at(name)}[${index}]`, 'true or false', value);
      return value;
    });
  }

  message(name: string): ConfigFields | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : new ConfigFields(value, this.#at(name));
  }

  messages(name: string): readonly ConfigFields[] | undefined {
    return this.#list(name)?.map((value, index) => new ConfigFields(value, `${this.#at(name)}[${index}]`));
  }

  /** A map's entries; its keys stay as they are written. */
  map(name: string): readonly (readonly [string, ConfigFields])[] | undefined {
    const value = this.#values.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw wrong(this.#at(name), 'an object', value);
    }
    return Object.entries(value).map(([key, entry]) => [
      key,
      new ConfigFields(entry, `${this.#at(name)}[${JSON.stringify(clip(key))}]`),
    ]);
  }

  /** Holds the message to what is read of it and to what may be there without a meaning here. */
  allow(known: readonly string[], harmless: readonly string[] = []): void {
    for (const [name, value] of this.#values) {
      if (known.includes(name) || harmless.includes(name) || isDefault(value)) continue;
      throw invalidArgument(
        `${this.#at(name)}: Sluice has nothing like it, and would not do what it says; leave it out`,
      );
    }
  }

  /** @throws SluiceError invalid-argument naming a field, what was expected and what came */
  refuse(name: string, expected: string): never {
    throw wrong(this.#at(name), expected, this.#values.get(name));
  }

  #at(name: string): string {
    return `${this.path}.${clip(name)}`;
  }

  #typed(name: string, type: string, expected: string): unknown {
    const value = this.#values.get(name);
    if (value !== undefined && typeof value !== type) throw wrong(this.#at(name), expected, value);
    return value;
  }

  #list(name: string): readonly unknown[] | undefined {
    const value = this.#values.get(name);
    if (value !== undefined && !Array.isArray(value)) throw wrong(this.#at(name), 'a list', value);
    return value;
  }
}

function wholeOf(value: unknown, path: string, max = Number.MAX_SAFE_INTEGER, min = 0): number {
  const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < min || number > max) {
    throw wrong(path, `a whole number from ${min} to ${max}`, value);
  }
  return number;
}

function numberOf(value: unknown, path: string): number {
  if (typeof value !== 'number') throw wrong(path, 'a number', value);
  return value;
}

const wrong = (path: string, expected: string, value: unknown) =>
  invalidArgument(
    `${path}: expected ${expected}, got ${value === undefined ? 'nothing' : clip(JSON.stringify(value))}`,
  );

/** Whether a value says no more than a field that is left out. */
function isDefault(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (typeof value === 'object' && value !== null) return Object.values(value).every(isDefault);
  return value === null || value === false || value === 0 || value === '' || value === '0';
}
