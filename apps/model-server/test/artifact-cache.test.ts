import { open } from 'node:fs/promises';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { systemClock } from '@sluice/service-kit/clock';
import { ArtifactCache, type DownloadFile, type DownloadFiles } from '../src/versions/artifact-cache.ts';
import type { Assignment } from '../src/versions/assignment.ts';
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
        stat: () => file.stat(),
        sync: () => file.sync(),
        close: () => file.close(),
      } as DownloadFile;
    },
  };
}

const cacheOn = (files: DownloadFiles): ArtifactCache => new ArtifactCache(stateDir, source, systemClock, files);
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
    const cache = new ArtifactCache(stateDir, counting, systemClock, files);
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
