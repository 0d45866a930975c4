import { open } from 'node:fs/promises';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { SluiceError, unavailable } from '@sluice/domain/errors';
import { systemClock } from '@sluice/service-kit/clock';
import { ArtifactCache, type DownloadFile, type DownloadFiles } from '../src/versions/artifact-cache.ts';
import type { Assignment } from '../src/versions/assignment.ts';
import { hashesFor } from '../src/versions/file-hashes.ts';
import { temporaryFolder } from './support/runtime.ts';
import { sha256 } from './support/test-registry.ts';

const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, index) => index % 251));
const never = new AbortController().signal;
let stateDir: string;
beforeEach(() => (stateDir = temporaryFolder()));

function versionOf(version: number, content: Uint8Array = bytes): Assignment {
  const sha = sha256(content);
  const files = [{ path: 'm.onnx', sha256: sha, size: content.byteLength }];
  return { model: 'm', version, digest: sha256(Buffer.from(sha)), files, graphPath: 'm.onnx' } as unknown as Assignment;
}

/** Sends the bytes from an offset on, in pieces of 10,000. */
const source = {
  async *download(_sha: string, offset: number) {
    for (let at = offset; at < bytes.length; at += 10_000) yield bytes.subarray(at, at + 10_000);
  },
};

/** Real files whose writes a test changes. */
function filesThat(write: (file: DownloadFile, ...args: [Uint8Array, number, number]) => unknown): DownloadFiles {
  return {
    open: async (name, flags) => {
      const file = await open(name, flags);
      const changed = (...args: [Uint8Array, number, number]) => write(file, ...args);
      return {
        write: changed,
        sync: () => file.sync(),
        close: () => file.close(),
      } as DownloadFile;
    },
  };
}

const cacheOn = (files: DownloadFiles): ArtifactCache => new ArtifactCache(stateDir, source, systemClock, { files });
const artifacts = (): string[] => readdirSync(path.join(stateDir, 'artifacts'));

describe('a disk that does not take everything', () => {
  it('is given what it left over of a write', async () => {
    const cache = cacheOn(filesThat((file, chunk, at, length) => file.write(chunk, at, Math.min(length, 777))));
    const graph = await cache.provide(versionOf(1), never);
    expect(readFileSync(graph).equals(bytes)).toBe(true);
  });

  it('makes the version fail with resource-exhausted when it is full, and goes on there when there is room', async () => {
    let room = 25_000;
    const asked: number[] = [];
    const files = filesThat(async (file, chunk, at, length) => {
      const taken = Math.min(room, length);
      if (taken === 0) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      room -= taken;
      return file.write(chunk, at, taken);
    });
    const counting = {
      download: (sha: string, offset: number) => (asked.push(offset), source.download(sha, offset)),
    };
    const cache = new ArtifactCache(stateDir, counting, systemClock, { files });
    await expect(cache.provide(versionOf(1), never)).rejects.toMatchObject({
      kind: 'resource-exhausted',
      message: expect.stringContaining('the disk of the artifact cache is full') as string,
    });
    expect(artifacts()).toEqual([`${sha256(bytes)}.partial`]);
    room = Infinity;
    expect(readFileSync(await cache.provide(versionOf(1), never)).equals(bytes)).toBe(true);
    expect(asked).toEqual([0, 25_000]);
  });

  it('does not pass for whole when it lost bytes that it took', async () => {
    const cache = cacheOn(
      filesThat((file, chunk, at, length) => (void file.write(chunk, at, 10), { bytesWritten: length })),
    );
    await expect(cache.provide(versionOf(1), never)).rejects.toMatchObject({
      kind: 'data-loss',
      message: expect.stringContaining('of 50000 bytes on disk') as string,
    });
    expect(artifacts()).toEqual([]);
  });
});

it('a download that breaks off again and again ends, as long as each try brings something', async () => {
  let tries = 0;
  const breaking = {
    async *download(_sha: string, offset: number) {
      tries += 1;
      yield bytes.subarray(offset, offset + 7_000);
      if (offset + 7_000 < bytes.length) throw unavailable('the replica is left');
    },
  };
  const clock = { ...systemClock, schedule: (_ms: number, fn: () => void) => systemClock.schedule(0, fn) };
  const graph = await new ArtifactCache(stateDir, breaking, clock).provide(versionOf(1), never);
  expect(readFileSync(graph).equals(bytes)).toBe(true);
  expect(tries).toBe(8);
});

describe('a large version', () => {
  const large = Buffer.alloc(64 * 1024 * 1024, 7);
  const largeSource = {
    async *download() {
      for (let at = 0; at < large.length; at += 1024 * 1024) yield large.subarray(at, at + 1024 * 1024);
    },
  };
  /** CPU time of this thread, in microseconds: what others do on the machine is not in it. */
  const spent = async (work: () => unknown): Promise<number> => {
    const before = process.threadCpuUsage();
    await work();
    const { user, system } = process.threadCpuUsage(before);
    return user + system;
  };

  it('is hashed beside the thread that serves, when it came and before each load', async () => {
    const version = versionOf(1, large);
    const hashing = await spent(() => sha256(large));
    // Bytes that are here: the thread starts, and the file is read and hashed in it.
    const cache = new ArtifactCache(stateDir, largeSource, systemClock);
    const first = await spent(() => cache.provide(version, never));
    // The least of three: a collection of what other tests left may fall into one.
    const load = () => cache.provide(version, never);
    const again = Math.min(await spent(load), await spent(load), await spent(load));
    expect(again).toBeLessThan(hashing / 2);
    // And of a download no more than its writes.
    const writing = await spent(() => writeInPieces(large));
    expect(first).toBeLessThan(writing + hashing / 2);
  });

  async function writeInPieces(content: Uint8Array): Promise<void> {
    const file = await open(path.join(stateDir, 'written'), 'w');
    for (let at = 0; at < content.length; at += 1024 * 1024) await file.write(content, at, 1024 * 1024);
    await file.sync();
    await file.close();
  }

  it('is found to be damaged there too, and its hash ends with the load', async () => {
    const version = versionOf(1, large);
    const cache = new ArtifactCache(stateDir, largeSource, systemClock);
    const graph = await cache.provide(version, never);
    const file = await open(graph, 'r+');
    await file.write(Buffer.from([8]), 0, 1, large.length - 1);
    await file.close();
    expect(readFileSync(await cache.provide(version, never)).equals(large)).toBe(true);

    const stop = new AbortController();
    const hashes = (bytes: number) => {
      const made = hashesFor(bytes);
      const digest: typeof made.digest = (...args) => {
        const under = made.digest(...args);
        stop.abort(new SluiceError('cancelled', 'withdrawn'));
        return under;
      };
      return { digest, close: () => made.close() };
    };
    const stopped = new ArtifactCache(stateDir, largeSource, systemClock, { hashes });
    await expect(stopped.provide(version, stop.signal)).rejects.toMatchObject({ message: 'withdrawn' });
  });
});

describe.each([1, 2 * 1024 * 1024])('hashes of a version of %i bytes', (size) => {
  it('are those of its files, in any order, and say which error there was', async () => {
    const hashes = hashesFor(size);
    const [one, two] = [path.join(stateDir, 'one'), path.join(stateDir, 'two')];
    writeFileSync(one, '');
    writeFileSync(two, bytes);
    const all = [hashes.digest(two, never), hashes.digest(one, never), hashes.digest(`${one}-not`, never)];
    const settled = await Promise.allSettled(all);
    expect(settled).toEqual([
      { status: 'fulfilled', value: sha256(bytes) },
      { status: 'fulfilled', value: sha256(Buffer.alloc(0)) },
      { status: 'rejected', reason: expect.objectContaining({ code: 'ENOENT' }) as unknown },
    ]);
    await expect(hashes.digest(one, AbortSignal.abort(new Error('over')))).rejects.toThrow();
    await hashes.close();
  });

  it('end when they are closed', async () => {
    const hashes = hashesFor(size);
    await hashes.close();
    const file = path.join(stateDir, 'one');
    writeFileSync(file, Buffer.alloc(size));
    const under = hashes.digest(file, never).then(String, String);
    await hashes.close();
    expect(await under).toMatch(size > 1024 * 1024 ? /the thread that hashes files ended/ : /^[0-9a-f]{64}$/);
  });
});
