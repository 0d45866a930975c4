import { invalidArgument, type SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { isMap, isNode, isPair, isScalar, type Document, type LineCounter } from 'yaml';

export type ManifestPath = readonly PropertyKey[];

interface Problem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

const maxShown = 50;

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
  #document: Document | undefined;

  constructor(lines: LineCounter) {
    this.#lines = lines;
  }

  set document(document: Document) {
    this.#document = document;
  }

  get any(): boolean {
    return this.#problems.length > 0;
  }

  /** Something wrong at a byte offset of the text. */
  at(offset: number, text: string): void {
    const { line, col } = this.#lines.linePos(offset);
    this.#problems.push({ line, column: col, text });
  }

  /** Something wrong with the value at `path`, or with the nearest thing above it that is there. */
  add(path: ManifestPath, message: string): void {
    const shown = showPath(path);
    this.at(this.#offsetOf(path), shown === '' ? message : `${shown}: ${message}`);
  }

  /** Something wrong with a key itself. */
  addKey(path: ManifestPath, key: string, message: string): void {
    const shown = showPath([...path, key]);
    const parent = this.#nodeAt(path);
    const pair = isMap(parent)
      ? parent.items.find((item) => isPair(item) && isScalar(item.key) && item.key.value === key)
      : undefined;
    const offset = isNode(pair?.key) ? (pair.key.range?.[0] ?? 0) : this.#offsetOf(path);
    this.at(offset, `${shown}: ${message}`);
  }

  /** What stands at `path`, shortened, for messages. */
  valueAt(path: ManifestPath): string {
    const node = this.#nodeAt(path);
    if (node === undefined) return 'nothing';
    return clip(JSON.stringify(this.#document!.getIn(path)), 60);
  }

  throwIfAny(): void {
    if (this.any) throw this.toError();
  }

  toError(): SluiceError {
    const sorted = [...this.#problems].sort((left, right) => left.line - right.line || left.column - right.column);
    const lines = sorted.slice(0, maxShown).map((one) => `sluice.yaml:${one.line}:${one.column}: ${one.text}`);
    if (sorted.length > maxShown) lines.push(`… and ${sorted.length - maxShown} more`);
    const count = sorted.length === 1 ? '1 problem' : `${sorted.length} problems`;
    return invalidArgument(`sluice.yaml has ${count}:\n${lines.join('\n')}`);
  }

  #nodeAt(path: ManifestPath): unknown {
    if (!this.#document) return undefined;
    return path.length === 0 ? this.#document.contents : (this.#document.getIn(path, true) ?? undefined);
  }

  #offsetOf(path: ManifestPath): number {
    for (let length = path.length; length >= 0; length -= 1) {
      const node = this.#nodeAt(path.slice(0, length));
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }
}

/** The candidate that `word` most likely was meant to be; undefined when none is near. */
export function suggestion(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase().replaceAll('-', '_').slice(0, 60), candidate);
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
