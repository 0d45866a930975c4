import { basename, dirname } from 'node:path';
import type { FileEntry } from '../src/spool/files.ts';

/** A change of a file that is not on disk yet. */
type Change = { readonly at: number; readonly bytes: Buffer } | { readonly length: number };

/** The bytes of a file: as processes see them, and as they are on disk. */
export class Content {
  #seen: Buffer = Buffer.alloc(0);
  #kept: Buffer = Buffer.alloc(0);
  #changes: Change[] = [];

  get size(): number {
    return this.#seen.length;
  }

  read(into: Uint8Array, at: number): number {
    const bytes = this.#seen.subarray(at, at + into.length);
    into.set(bytes);
    return bytes.length;
  }

  write(bytes: Uint8Array, at: number): void {
    this.#change({ at, bytes: Buffer.from(bytes) });
  }

  truncate(length: number): void {
    this.#change({ length });
  }

  sync(): void {
    for (const change of this.#changes) this.#kept = applied(this.#kept, change);
    this.#changes = [];
  }

  /** A sync failed: what it had to write is never written, and the next sync does not say so. */
  forget(): void {
    this.#changes = [];
  }

  /** @param random says how much of what was not synced is kept; nothing without it */
  lose(random: (() => number) | undefined): void {
    const changes = this.#changes;
    const count = random === undefined ? 0 : Math.floor(random() * (changes.length + 1));
    for (const change of changes.slice(0, count)) this.#kept = applied(this.#kept, change);
    const next = changes[count];
    if (random !== undefined && next && 'bytes' in next) {
      const bytes = next.bytes.subarray(0, Math.floor(random() * next.bytes.length));
      this.#kept = applied(this.#kept, { at: next.at, bytes });
    }
    this.#changes = [];
    this.#seen = Buffer.from(this.#kept);
  }

  /** What happens to a disk: it gives other bytes than it got. */
  damage(change: (bytes: Buffer) => void): void {
    change(this.#seen);
    change(this.#kept);
  }

  #change(change: Change): void {
    this.#seen = applied(this.#seen, change);
    this.#changes.push(change);
  }
}

/** In place where it can be. */
function applied(bytes: Buffer, change: Change): Buffer {
  if ('length' in change) return bytes.subarray(0, Math.min(bytes.length, change.length));
  const end = change.at + change.bytes.length;
  const larger = end <= bytes.length ? bytes : Buffer.concat([bytes], end);
  larger.set(change.bytes, change.at);
  return larger;
}

/** A change of names, and the folders whose sync makes it stay. */
interface Renaming {
  readonly folders: readonly string[];
  readonly apply: (names: Map<string, Content>) => void;
}

/** Files by their paths, as processes see them and as they are on disk. Folders are there for good once they are made. */
export class Disk {
  /** Bytes that all files may have together. */
  capacity = Infinity;
  readonly #folders = new Set<string>();
  #seen = new Map<string, Content>();
  readonly #kept = new Map<string, Content>();
  #changes: Renaming[] = [];

  /** Of all files, as processes see them. */
  get bytes(): number {
    let sum = 0;
    for (const { size } of this.#seen.values()) sum += size;
    return sum;
  }

  get paths(): string[] {
    return [...this.#seen.keys()].sort();
  }

  makeFolder(path: string): void {
    this.#folders.add(path);
    this.#folders.add(dirname(path));
  }

  create(path: string): Content {
    if (this.#seen.has(path)) throw coded('EEXIST', path);
    if (!this.#folders.has(dirname(path))) throw coded('ENOENT', path);
    const content = new Content();
    this.#change([dirname(path)], (names) => names.set(path, content));
    return content;
  }

  find(path: string): Content {
    const content = this.#seen.get(path);
    if (!content) throw coded('ENOENT', path);
    return content;
  }

  list(folder: string): FileEntry[] {
    if (!this.#folders.has(folder)) throw coded('ENOENT', folder);
    const inside = [...this.#seen].filter(([path]) => dirname(path) === folder);
    return inside.map(([path, { size }]) => ({ name: basename(path), size }));
  }

  remove(path: string): boolean {
    if (!this.#seen.has(path)) return false;
    this.#change([dirname(path)], (names) => names.delete(path));
    return true;
  }

  rename(from: string, to: string): void {
    const content = this.find(from);
    this.#change([dirname(from), dirname(to)], (names) => {
      names.delete(from);
      names.set(to, content);
    });
  }

  /** Writes as much as has room. */
  write(content: Content, bytes: Uint8Array, at: number): void {
    const room = this.capacity - this.bytes + content.size;
    const fitting = Math.min(bytes.length, Math.max(content.size, room) - at);
    if (fitting > 0) content.write(bytes.subarray(0, fitting), at);
    if (fitting < bytes.length) throw coded('ENOSPC', 'the disk');
  }

  syncFolder(path: string): void {
    if (!this.#folders.has(path)) throw coded('ENOENT', path);
    const [stay, wait] = [true, false].map((isMeant) =>
      this.#changes.filter(({ folders }) => folders.includes(path) === isMeant),
    );
    for (const { apply } of stay!) apply(this.#kept);
    this.#changes = wait!;
  }

  lose(random: (() => number) | undefined): void {
    const count = random === undefined ? 0 : Math.floor(random() * (this.#changes.length + 1));
    for (const { apply } of this.#changes.slice(0, count)) apply(this.#kept);
    this.#changes = [];
    this.#seen = new Map(this.#kept);
    for (const content of this.#seen.values()) content.lose(random);
  }

  #change(folders: readonly string[], apply: (names: Map<string, Content>) => void): void {
    apply(this.#seen);
    this.#changes.push({ folders, apply });
  }
}

function coded(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}
