import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { ArtifactStore } from '../src/artifacts/artifact-store.ts';

export const sha256Of = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

export async function* inChunks(bytes: Uint8Array, size = 1000): AsyncIterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Vitest's matchers of text, without their `any`. */
export const text = {
  stringMatching: (pattern: RegExp): unknown => expect.stringMatching(pattern),
  stringContaining: (part: string): unknown => expect.stringContaining(part),
};

/** All that an iteration gives. */
export async function gather<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await gather(chunks));
}

/** A fresh folder that goes when the test has ended. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-registry-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** What every artifact store must do. `make` gives an empty one that uses the clock. */
export function artifactStoreContract(name: string, make: (clock: FakeClock) => Promise<ArtifactStore>): void {
  describe(`artifact store contract: ${name}`, () => {
    let clock: FakeClock;
    let store: ArtifactStore;
    const hello = Buffer.from('hello, artifact');
    const digest = sha256Of(hello);
    const put = (bytes: Uint8Array, size?: number) =>
      store.put({ sha256: sha256Of(bytes), size: bytes.length }, inChunks(bytes, size));

    beforeEach(async () => {
      clock = new FakeClock();
      store = await make(clock);
    });

    it('stores bytes once, and answers a second put of them without reading', async () => {
      expect(await store.stat(digest)).toBeUndefined();
      expect(await put(hello, 4)).toEqual({ stored: true });
      expect(await store.stat(digest)).toEqual({ sha256: digest, size: hello.length, storedAt: clock.now() });
      clock.advance(5000);
      const unread = { [Symbol.asyncIterator]: () => expect.unreachable('must not be read') };
      expect(await store.put({ sha256: digest, size: hello.length }, unread)).toEqual({ stored: false });
      expect((await store.stat(digest))?.storedAt).toBe(clock.now());
      expect(await collect(store.read(digest))).toEqual(hello);
    });

    it('stores the empty artifact', async () => {
      expect(await put(Buffer.alloc(0))).toEqual({ stored: true });
      expect(await collect(store.read(sha256Of('')))).toHaveLength(0);
    });

    it('takes two writers of one digest at once', async () => {
      await Promise.all([put(hello, 1), put(hello, 2), put(hello, 3)]);
      expect(await collect(store.read(digest))).toEqual(hello);
      expect(await gather(store.list())).toHaveLength(1);
    });

    it('names both digests, or both sizes, when they differ, and keeps nothing', async () => {
      const other = sha256Of('other');
      await expect(store.put({ sha256: other, size: hello.length }, inChunks(hello))).rejects.toMatchObject({
        kind: 'invalid-argument',
        message: text.stringMatching(new RegExp(`${other}.*${digest}`)),
      });
      await expect(store.put({ sha256: digest, size: 14 }, inChunks(hello, 5))).rejects.toThrow(
        /14 bytes were promised/,
      );
      await expect(store.put({ sha256: digest, size: 16 }, inChunks(hello))).rejects.toThrow(
        /16 .* promised and 15 came/,
      );
      expect(await gather(store.list())).toEqual([]);
    });

    it('keeps nothing of an upload that breaks off', async () => {
      const broken = async function* () {
        yield hello.subarray(0, 4);
        throw new Error('the caller is gone');
      };
      await expect(store.put({ sha256: digest, size: hello.length }, broken())).rejects.toThrow();
      expect(await store.stat(digest)).toBeUndefined();
    });

    it('takes a chunk of 1 MiB, and refuses one byte more', async () => {
      const large = Buffer.alloc(1024 * 1024 + 1, 7);
      const exact = large.subarray(1);
      expect(await put(exact, exact.length)).toEqual({ stored: true });
      await expect(put(large, large.length)).rejects.toMatchObject({
        kind: 'invalid-argument',
        message: text.stringContaining('chunk: 1048577 bytes at offset 0'),
      });
    });

    it.each(['', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(63)}/`])(
      'refuses the digest %j everywhere',
      async (sha256) => {
        const refused = { kind: 'invalid-argument', message: text.stringMatching(/^sha256: /) };
        await expect(store.put({ sha256, size: 1 }, inChunks(hello))).rejects.toMatchObject(refused);
        await expect(store.stat(sha256)).rejects.toMatchObject(refused);
        await expect(store.open(sha256)).rejects.toMatchObject(refused);
        await expect(collect(store.read(sha256))).rejects.toMatchObject(refused);
        await expect(store.touch(sha256)).rejects.toMatchObject(refused);
        await expect(store.delete(sha256)).rejects.toMatchObject(refused);
        await expect(store.place(sha256, '/dev/null')).rejects.toMatchObject(refused);
      },
    );

    it.each([-1, 1.5, Number.NaN, 65 * 1024 ** 3])('refuses the size %d before reading', async (size) => {
      await expect(store.put({ sha256: digest, size }, inChunks(hello))).rejects.toMatchObject({
        kind: 'invalid-argument',
        message: text.stringMatching(/^size: /),
      });
    });

    it('reads from an offset, in chunks of at most 1 MiB, and out of order', async () => {
      const bytes = Buffer.alloc(2_500_000);
      for (let index = 0; index < bytes.length; index += 1) bytes[index] = (index * 31) % 251;
      await put(bytes, 1024 * 1024);
      const sha256 = sha256Of(bytes);
      const chunks = await gather(store.read(sha256, 1000));
      expect(chunks.every((chunk) => chunk.length <= 1024 * 1024)).toBe(true);
      expect(Buffer.concat(chunks).equals(bytes.subarray(1000))).toBe(true);
      expect(await collect(store.read(sha256, bytes.length))).toHaveLength(0);
      await expect(collect(store.read(sha256, bytes.length + 1))).rejects.toThrow(/^offset: /);
      await expect(collect(store.read(sha256, -1))).rejects.toThrow(/^offset: /);
      const source = await store.open(sha256);
      expect(source.size).toBe(bytes.length);
      expect(Buffer.from(await source.read(2_000_000, 5)).equals(bytes.subarray(2_000_000, 2_000_005))).toBe(true);
      expect(await source.read(bytes.length - 2, 100)).toHaveLength(2);
      expect(await source.read(bytes.length + 5, 100)).toHaveLength(0);
      await source.close();
    });

    it('says not-found of what it does not have', async () => {
      const absent = { kind: 'not-found', message: text.stringContaining(digest) };
      await expect(store.open(digest)).rejects.toMatchObject(absent);
      await expect(collect(store.read(digest))).rejects.toMatchObject(absent);
      await expect(store.place(digest, join(await temporaryFolder(), 'x'))).rejects.toMatchObject(absent);
      expect(await store.touch(digest)).toBe(false);
      expect(await store.delete(digest)).toBe(false);
    });

    it('places an artifact as a file and does not replace one', async () => {
      await put(hello);
      const file = join(await temporaryFolder(), 'model.onnx');
      await store.place(digest, file);
      expect(await readFile(file)).toEqual(hello);
      await expect(store.place(digest, file)).rejects.toThrow();
    });

    it('deletes, lists and touches', async () => {
      await put(hello);
      await put(Buffer.from('two'));
      clock.advance(1000);
      expect(await store.touch(digest)).toBe(true);
      const listed = await gather(store.list());
      expect(listed.map((stat) => [stat.size, clock.now() - stat.storedAt]).sort()).toEqual([
        [hello.length, 0],
        [3, 1000],
      ]);
      expect(await store.delete(digest)).toBe(true);
      expect(await store.stat(digest)).toBeUndefined();
      expect(await store.delete(digest)).toBe(false);
      expect(await put(hello)).toEqual({ stored: true });
    });

    it('keeps documents, replaces them whole, and lists them in order', async () => {
      expect(await store.readDocument('checkpoint-1.json')).toBeUndefined();
      await store.writeDocument('checkpoint-2.json', Buffer.from('two'));
      await store.writeDocument('checkpoint-1.json', Buffer.from('one'));
      await store.writeDocument('other', Buffer.from('x'));
      await store.writeDocument('checkpoint-1.json', Buffer.from('ONE'));
      expect(String(await store.readDocument('checkpoint-1.json'))).toBe('ONE');
      expect(await store.listDocuments('checkpoint-')).toEqual(['checkpoint-1.json', 'checkpoint-2.json']);
      expect(await store.listDocuments()).toHaveLength(3);
      expect(await gather(store.list())).toEqual([]);
      await expect(store.writeDocument('large', Buffer.alloc(1024 * 1024 + 1))).rejects.toThrow(/at most 1048576/);
    });

    it.each(['', '.', '..', 'a/b', '../a', 'a..b', 'A', 'a\\b', '.a', 'a.', 'x'.repeat(129), 'a\0'])(
      'refuses the document name %j',
      async (document) => {
        const refused = { kind: 'invalid-argument', message: text.stringMatching(/^document: /) };
        await expect(store.writeDocument(document, hello)).rejects.toMatchObject(refused);
        await expect(store.readDocument(document)).rejects.toMatchObject(refused);
      },
    );
  });
}
