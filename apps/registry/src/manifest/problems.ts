import { invalidArgument, type SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { isMap, isNode, isPair, isScalar, isSeq, type Document, type LineCounter, type Pair } from 'yaml';
import { keyName } from './yaml-limits.ts';

export type ManifestPath = readonly PropertyKey[];

interface Problem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** What is wrong: text, or how to say it when that takes looking around. */
export type ProblemText = string | (() => string);

/** Places and texts of this many are found out and shown; what is wrong beside them is only counted. */
const maxShown = 50;
/** Values looked at to show one: a message has room for less. */
const maxShownValues = 100;

/** `a.b[2].c` for a path. */
export function showPath(path: ManifestPath): string {
  let shown = '';
  for (const part of path) shown += typeof part === 'number' ? `[${part}]` : `${shown && '.'}${String(part)}`;
  return shown;
}

/** Collects all that is wrong with one `sluice.yaml`, each with its place, and throws it together. */
export class ManifestProblems {
  readonly #lines: LineCounter;
  readonly #problems: Problem[] = [];
  #count = 0;
  #document: Document | undefined;
  #value: unknown;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  /** The text as it was read: its nodes, which know their places, and the value that it stands for. */
  setSource(document: Document, value: unknown): void {
    this.#document = document;
    this.#value = value;
  }

  get any(): boolean {
    return this.#count > 0;
  }

  /** Something wrong at a byte offset of the text. */
  at(offset: number, text: string): void {
    this.#add(() => offset, text);
  }

  /** Something wrong with the value at `path`, or with the nearest thing above it that is there. */
  add(path: ManifestPath, text: ProblemText): void {
    this.#add(() => this.#offsetOf(path), text, path);
  }

  /** Something wrong with a key itself. */
  addKey(path: ManifestPath, key: string, text: ProblemText): void {
    this.#add(() => this.#offsetOfKey(path, key), text, [...path, key]);
  }

  /** What stands at `path`, shortened, for messages. */
  valueAt(path: ManifestPath): string {
    let value = this.#value;
    for (const key of path) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return 'nothing';
      value = (value as Record<PropertyKey, unknown>)[key];
    }
    if (value === undefined) return 'nothing';
    let left = maxShownValues;
    return clip(
      JSON.stringify(value, (_, inner: unknown) => ((left -= 1) < 0 ? null : inner)),
      60,
    );
  }

  throwIfAny(): void {
    if (this.any) throw this.toError();
  }

  toError(): SluiceError {
    const sorted = [...this.#problems].sort((left, right) => left.line - right.line || left.column - right.column);
    const lines = sorted.map((one) => `sluice.yaml:${one.line}:${one.column}: ${one.text}`);
    if (this.#count > sorted.length) lines.push(`… and ${this.#count - sorted.length} more`);
    const count = this.#count === 1 ? '1 problem' : `${this.#count} problems`;
    return invalidArgument(`sluice.yaml has ${count}:\n${lines.join('\n')}`);
  }

  #add(offset: () => number, text: ProblemText, path: ManifestPath = []): void {
    this.#count += 1;
    if (this.#count > maxShown) return;
    const { line, col } = this.#lines.linePos(offset());
    const what = typeof text === 'string' ? text : text();
    const shown = clip(showPath(path), 200);
    this.#problems.push({ line, column: col, text: shown === '' ? what : `${shown}: ${what}` });
  }

  #offsetOfKey(path: ManifestPath, key: string): number {
    const pair = pairOf(this.#nodeAt(path), key);
    return isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : this.#offsetOf(path);
  }

  #nodeAt(path: ManifestPath): unknown {
    let node: unknown = this.#document?.contents;
    for (const key of path) node = isSeq(node) ? node.items[Number(key)] : pairOf(node, key)?.value;
    return node;
  }

  #offsetOf(path: ManifestPath): number {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = this.#nodeAt(path.slice(0, length));
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }
}

/** A pair of a map by the name that its key has in the value: the key `1` is "1" there. */
function pairOf(map: unknown, key: PropertyKey): Pair | undefined {
  if (!isMap(map)) return undefined;
  return map.items.find((item) => isPair(item) && isScalar(item.key) && keyName(item.key) === key);
}

/** Characters of a word that are compared. */
const maxCompared = 60;

/** The candidate that `word` most likely was meant to be; undefined when none is near. */
export function suggestion(word: string, candidates: readonly string[]): string | undefined {
  const compared = word.slice(0, maxCompared).toLowerCase().replaceAll('-', '_');
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(compared.length / 3)) + 1;
  for (const candidate of candidates) {
    // Not compared at all where the lengths alone are too far apart: there may be a thousand, of a thousand characters.
    if (Math.abs(candidate.length - compared.length) >= bestDistance) continue;
    const distance = editDistance(compared, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, removals, replacements and swaps of neighbours between two words. */
function editDistance(left: string, right: string): number {
  const rows: number[][] = [Array.from({ length: right.length + 1 }, (_, index) => index)];
  for (let i = 1; i <= left.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= right.length; j += 1) {
      const same = left[i - 1] === right[j - 1] ? 0 : 1;
      let cost = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + same);
      if (i > 1 && j > 1 && left[i - 1] === right[j - 2] && left[i - 2] === right[j - 1]) {
        cost = Math.min(cost, rows[i - 2]![j - 2]! + 1);
      }
      row.push(cost);
    }
    rows.push(row);
  }
  return rows[left.length]![right.length]!;
}
