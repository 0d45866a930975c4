import { isUtf8 } from 'node:buffer';
import { invalidArgument } from '@sluice/domain/errors';
import type { ByteSource, Position, ReadRow, TableReader } from './reader.ts';
import { checkNames, type Column, type Row, type ScalarType, shown, type Value } from './schema.ts';

export interface JsonLinesOptions {
  /** The longest line, in bytes; default 64 MiB. */
  readonly maxLineBytes?: number;
}

interface Line {
  readonly bytes: Uint8Array;
  readonly number: number;
  readonly offset: number;
}

const start: Position = { rows: 0, offset: 0, lines: 0 };
/** Rows from whose values the types of the columns are taken, at most. */
const sampleRows = 1_000;
/** Lists in lists of a value: a tensor has fewer dimensions. */
const mostDepth = 64;

/**
 * Opens JSON Lines: one object a line, or one list a line; empty lines are passed over. The first row says which columns there
 * are: a later one may leave some out (null), and what it has beyond them is not read. Whole numbers beyond 2^53 are kept exactly. The
 * types are what the rows at the beginning have: a value of a later row may be another. A line that is no such JSON is a row that
 * cannot be read.
 *
 * @throws SluiceError invalid-argument naming the line
 */
export async function openJsonLines(source: ByteSource, options: JsonLinesOptions = {}): Promise<TableReader> {
  const maxLineBytes = options.maxLineBytes ?? 67_108_864;
  const sample: unknown[] = [];
  for await (const portion of lines(source, start, maxLineBytes)) {
    for (const line of portion) {
      if (sample.length === 0) sample.push(firstRow(line));
      else sample.push(parsed(line).value);
      if (sample.length === sampleRows) break;
    }
    if (sample.length > 0) break;
  }
  const first = sample[0];
  if (first === undefined) throw invalidArgument('the file has no rows');
  const isList = Array.isArray(first);
  const names = isList ? (first as unknown[]).map((_, index) => String(index + 1)) : Object.keys(first as object);
  checkNames(names.map((name) => ({ name })));
  const rowOf = isList
    ? (value: unknown) => rowOfList(value, names.length)
    : (value: unknown) => rowOfObject(value, names);
  const values = sample.map(rowOf).filter((row) => typeof row !== 'string');
  const columns = names.map((name, index) => ({ name, ...typeOf(values.map((row) => row[index]!)) }));
  return {
    columns,
    hasNames: !isList,
    totalRows: undefined,
    rows: (from = start) => readRows(lines(source, from, maxLineBytes), rowOf, from.rows),
  };
}

function firstRow(line: Line): object {
  const { value, problem } = parsed(line);
  if (problem !== '') throw invalidArgument(`line ${line.number}: ${problem}`);
  if (typeof value !== 'object' || value === null)
    throw invalidArgument(`line ${line.number}: expected an object or a list a line, got ${shown(value as Value)}`);
  return value;
}

async function* readRows(
  portions: AsyncIterable<readonly Line[]>,
  rowOf: (value: unknown) => Row | string,
  before: number,
): AsyncIterable<readonly ReadRow[]> {
  let index = before;
  for await (const portion of portions) {
    if (portion.length === 0) continue;
    yield portion.map((line) => {
      const { value, problem } = parsed(line);
      const row = problem === '' ? rowOf(value) : problem;
      return {
        index: index++,
        values: typeof row === 'string' ? undefined : row,
        problem: typeof row === 'string' ? row : '',
        line: line.number,
        after: { rows: index, offset: line.offset, lines: line.number },
      };
    });
  }
}

/** The lines that are not empty, without their ends. */
async function* lines(source: ByteSource, from: Position, maxLineBytes: number): AsyncIterable<readonly Line[]> {
  let rest: Uint8Array[] = [];
  let held = 0;
  let { offset } = from;
  let number = from.lines;
  const lineOf = (tail: Uint8Array, isLast: boolean): Line => {
    const bytes = rest.length === 0 ? tail : Buffer.concat([...rest, tail]);
    rest = [];
    held = 0;
    number += 1;
    const begin = offset === 0 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    offset += bytes.length + (isLast ? 0 : 1);
    return { bytes: bytes.subarray(begin, bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length), number, offset };
  };
  for await (const piece of source.stream(from.offset)) {
    const found: Line[] = [];
    let at = 0;
    for (let end = piece.indexOf(10); end >= 0; at = end + 1, end = piece.indexOf(10, at)) {
      const line = lineOf(piece.subarray(at, end), false);
      if (!isBlank(line.bytes)) found.push(line);
    }
    if (at < piece.length) {
      rest.push(piece.subarray(at));
      held += piece.length - at;
      if (held > maxLineBytes) throw invalidArgument(`line ${number + 1}: is longer than ${maxLineBytes} bytes`);
    }
    yield found;
  }
  if (held > 0) {
    const line = lineOf(new Uint8Array(0), true);
    if (!isBlank(line.bytes)) yield [line];
  }
}

const isBlank = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 32 || byte === 9);

function parsed({ bytes }: Line): { readonly value: unknown; readonly problem: string } {
  if (!isUtf8(bytes)) return { value: undefined, problem: 'is not UTF-8' };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  try {
    // Seldom, and several times slower: only where a whole number may be too large for a double.
    return { value: /\d{16}/.test(text) ? JSON.parse(text, exactly) : JSON.parse(text), problem: '' };
  } catch (error) {
    return { value: undefined, problem: `is not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Keeps whole numbers that a double cannot have. */
function exactly(_: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  const isLarge = typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value);
  return isLarge && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

function rowOfList(value: unknown, width: number): Row | string {
  if (!Array.isArray(value)) return 'is no list, as the first row is';
  if (value.length !== width) return `has ${value.length} values where ${width} are expected`;
  return checked(value);
}

function rowOfObject(value: unknown, names: readonly string[]): Row | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'is no object, as the first row is';
  const object = value as Readonly<Record<string, unknown>>;
  return checked(names.map((name) => (Object.hasOwn(object, name) ? object[name] : null)));
}

function checked(values: readonly unknown[]): Row | string {
  let problem = '';
  const look = (value: unknown, depth: number): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Array.isArray(value)) problem = 'has an object where a value or a list was expected';
    // Whatever walks a value later takes a call for each level.
    else if (depth === mostDepth) problem = `has lists in lists, more than ${mostDepth} deep`;
    else for (const item of value) look(item, depth + 1);
  };
  for (const value of values) look(value, 0);
  return problem === '' ? (values as Row) : problem;
}

/** The narrowest type that has all of the values; text where there is none. */
function typeOf(values: readonly Value[]): Pick<Column, 'type' | 'depth'> {
  const depths = new Set<number>();
  const types = new Set<ScalarType>();
  const visit = (value: Value, depth: number): void => {
    if (value === null) return;
    if (Array.isArray(value)) {
      for (const item of value as readonly Value[]) visit(item, depth + 1);
      return;
    }
    depths.add(depth);
    types.add(scalarOf(value));
  };
  for (const value of values) visit(value, 0);
  const depth = depths.size === 1 ? [...depths][0]! : 0;
  if (types.size === 1) return { type: [...types][0]!, depth };
  const areNumbers = types.size === 2 && types.has('double') && types.has('int64');
  return areNumbers ? { type: 'double', depth } : { type: 'string', depth: 0 };
}

function scalarOf(value: Value): ScalarType {
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'double';
  return 'string';
}
