import { lastLeafOf, TreeBuilder, type TreeHasher } from '@sluice/domain/merkle';
import { checkpointProblem, type AuditKey, type SignedCheckpoint } from '../audit/checkpoint.ts';
import { readRestore, readsAsKey, rowProblem, type RestoreAccepted } from '../audit/entry-check.ts';
import { auditActions, type AuditEntry } from '../audit/entry.ts';
import { utf8 } from '../audit/canonical-json.ts';
import type { StoredNode } from './audit-log.ts';

export interface AuditVerdict {
  readonly ok: boolean;
  readonly treeSize: number;
  readonly rootHash: Uint8Array;
  readonly checkpointsChecked: number;
  /** One line each, naming the entry; at most 200. */
  readonly problems: readonly string[];
}

export interface CheckStart {
  readonly size: number;
  /** From the artifact store. */
  readonly kept: readonly SignedCheckpoint[];
  readonly keys: readonly AuditKey[];
  /** Checkpoints and nodes of the database for entries that it does not have. */
  readonly beyond: readonly SignedCheckpoint[];
  readonly nodesBeyond: readonly StoredNode[];
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  readonly nodes: readonly StoredNode[];
  readonly checkpoints: readonly SignedCheckpoint[];
}

const maxProblems = 200;
const noHash = new Uint8Array(32);

/**
 * The check of a log, page by page, as a pure state. Where an entry and the tree disagree, the entry is named and the
 * tree's own leaf is taken, so that one changed entry gives one line and not one for every node above it.
 */
export class AuditCheck {
  readonly size: number;
  readonly #hasher: TreeHasher;
  readonly #start: CheckStart;
  readonly #tree: TreeBuilder;
  readonly #kept: readonly SignedCheckpoint[];
  readonly #restores: RestoreAccepted[] = [];
  readonly #keyLeaves = new Set<number>();
  /** Checkpoints of the artifact store that do not belong to this tree, until the log is read to its end. */
  readonly #strays: SignedCheckpoint[] = [];
  readonly #problems: string[] = [];
  #more = 0;
  #keptAt = 0;
  #checkpoints = 0;
  /** The size of the last checkpoint whose root was right. */
  #soundSize = 0;

  constructor(hasher: TreeHasher, start: CheckStart) {
    this.size = start.size;
    this.#hasher = hasher;
    this.#start = start;
    this.#tree = new TreeBuilder(hasher);
    this.#kept = start.kept.toSorted((a, b) => a.treeSize - b.treeSize);
  }

  /** Takes the rows of leaves from `start` to before `end`, in order. */
  page(start: number, end: number, page: AuditPage): void {
    const entries = new Map(page.entries.map((entry) => [entry.leafIndex, entry]));
    const nodes = new Map<number, StoredNode[]>();
    for (const node of page.nodes) nodes.set(node.lastLeaf, [...(nodes.get(node.lastLeaf) ?? []), node]);
    const checkpoints = new Map(page.checkpoints.map((checkpoint) => [checkpoint.treeSize, checkpoint]));
    for (let leaf = start; leaf < end; leaf++) {
      this.#leaf(leaf, entries.get(leaf), nodes.get(leaf) ?? []);
      const checkpoint = checkpoints.get(leaf + 1);
      if (checkpoint) this.#checkpoint(checkpoint, 'in the database');
      this.#keptUpTo(leaf + 1);
    }
  }

  /** What was found, once all pages were taken. */
  verdict(): AuditVerdict {
    for (const { treeSize } of this.#start.beyond)
      this.#problem(`checkpoint of ${treeSize} entries: the log has only ${this.size}, later entries are gone`);
    for (const { lastLeaf } of this.#start.nodesBeyond)
      this.#problem(`entry ${lastLeaf} is gone, its tree node is not`);
    this.#keptUpTo(Number.POSITIVE_INFINITY);
    for (const stray of this.#strays) this.#stray(stray);
    for (const key of this.#start.keys)
      if (!this.#keyLeaves.has(key.sinceLeaf))
        this.#problem(`key ${key.keyId}: entry ${key.sinceLeaf}, which should have set it, does not`);
    if (this.#more > 0) this.#problems.push(`and ${this.#more} more`);
    return {
      ok: this.#problems.length === 0,
      treeSize: this.size,
      rootHash: this.#tree.root(),
      checkpointsChecked: this.#checkpoints,
      problems: this.#problems,
    };
  }

  #leaf(leaf: number, entry: AuditEntry | undefined, rows: readonly StoredNode[]): void {
    const inTree = rows.find(({ level }) => level === 0)?.hash;
    const computed = entry && this.#hasher.leaf(utf8(entry.canonicalJson));
    if (entry && computed) this.#entry(leaf, entry, computed, inTree);
    else this.#problem(`entry ${leaf} is missing`);
    const taken = inTree?.length === 32 ? inTree : (computed ?? noHash);
    const completed = this.#tree.append(taken);
    const byLevel = new Map(rows.map((row) => [row.level, row]));
    for (const node of completed) {
      const row = byLevel.get(node.level);
      byLevel.delete(node.level);
      const range = `entries ${node.index * 2 ** node.level} to ${lastLeafOf(node)}`;
      if (!row) this.#problem(`entry ${leaf}: the tree node over ${range} is missing`);
      else if (!sameBytes(row.hash, node.hash)) this.#problem(`entry ${leaf}: the tree node over ${range} is wrong`);
    }
    for (const level of byLevel.keys()) this.#problem(`entry ${leaf}: a tree node of level ${level} does not belong`);
  }

  #entry(leaf: number, entry: AuditEntry, computed: Uint8Array, inTree: Uint8Array | undefined): void {
    const problem = rowProblem(entry);
    if (problem !== undefined) this.#problem(`entry ${leaf} (${entry.action} of ${entry.object}): ${problem}`);
    if (!sameBytes(computed, entry.leafHash))
      this.#problem(`entry ${leaf} (${entry.action} of ${entry.object}): its canonical JSON and its leaf hash differ`);
    else if (inTree && !sameBytes(computed, inTree))
      this.#problem(
        `entry ${leaf} (${entry.action} of ${entry.object}): it is not the entry that the tree was built on`,
      );
    const restore = readRestore(entry);
    if (restore) this.#restores.push(restore);
    if (entry.action === auditActions.keySet || entry.action === auditActions.keyRotated) this.#key(entry);
  }

  #key(entry: AuditEntry): void {
    const row = this.#start.keys.find((key) => key.sinceLeaf === entry.leafIndex);
    this.#keyLeaves.add(entry.leafIndex);
    if (!row || !readsAsKey(entry, row))
      this.#problem(`entry ${entry.leafIndex}: the key that it set is not the one in the table of keys`);
  }

  #checkpoint(checkpoint: SignedCheckpoint, where: string): void {
    this.#checkpoints++;
    const name = `checkpoint of ${checkpoint.treeSize} entries ${where}`;
    const problem = checkpointProblem(checkpoint, this.#start.keys);
    if (problem !== undefined) this.#problem(`${name}: ${problem}`);
    else if (sameBytes(checkpoint.rootHash, this.#tree.root())) this.#soundSize = checkpoint.treeSize;
    else this.#changedBefore(checkpoint, name);
  }

  #changedBefore({ treeSize }: SignedCheckpoint, name: string): void {
    const range =
      treeSize - this.#soundSize === 1
        ? `entry ${treeSize - 1} was`
        : `one of entries ${this.#soundSize} to ${treeSize - 1} was`;
    this.#problem(`${name}: the tree has another root, so ${range} changed together with its tree nodes`);
  }

  #keptUpTo(size: number): void {
    for (;;) {
      const kept = this.#kept[this.#keptAt];
      if (!kept || kept.treeSize > size) return;
      this.#keptAt++;
      // One that is not of this tree may be of a history that a restore has ended; the log's end tells.
      if (kept.treeSize === size && sameBytes(kept.rootHash, this.#tree.root()))
        this.#checkpoint(kept, 'in the artifact store');
      else this.#strays.push(kept);
    }
  }

  #stray(stray: SignedCheckpoint): void {
    const ended = this.#restores.some(
      ({ checkpointSize, restoredSize }) => stray.treeSize > restoredSize && stray.treeSize <= checkpointSize,
    );
    if (ended) return;
    this.#checkpoints++;
    const name = `checkpoint of ${stray.treeSize} entries in the artifact store`;
    if (stray.treeSize > this.size) this.#problem(`${name}: the log has only ${this.size}, later entries are gone`);
    else {
      const problem = checkpointProblem(stray, this.#start.keys);
      if (problem !== undefined) this.#problem(`${name}: ${problem}`);
      else this.#problem(`${name}: the tree has another root, so an entry before ${stray.treeSize} was changed`);
    }
  }

  #problem(line: string): void {
    if (this.#problems.length < maxProblems) this.#problems.push(line);
    else this.#more++;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
