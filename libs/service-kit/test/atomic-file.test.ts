import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFileIfAny, writeFileAtomic } from '../src/atomic-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-atomic-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('writeFileAtomic', () => {
  it('writes, replaces, and makes missing folders', async () => {
    const file = path.join(folder, 'a/b/snapshot.json');
    await writeFileAtomic(file, 'one', 0o600);
    await writeFileAtomic(file, Uint8Array.of(116, 119, 111), 0o600);
    expect(await readFile(file, 'utf8')).toBe('two');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(path.dirname(file))).toEqual(['snapshot.json']);
  });

  it('leaves the old file and nothing else when it fails', async () => {
    const file = path.join(folder, 'target');
    await writeFileAtomic(path.join(file, 'inside'), 'x');
    // A folder cannot be replaced by a file.
    await expect(writeFileAtomic(file, 'y')).rejects.toThrow();
    expect(await readdir(folder)).toEqual(['target']);
  });

  it('shows a reader the old bytes or the new ones, never a mixture', async () => {
    const file = path.join(folder, 'f');
    const texts = ['a', 'b'].map((letter) => letter.repeat(200_000));
    await writeFileAtomic(file, texts[0]!);
    const writes = (async () => {
      for (let turn = 0; turn < 20; turn++) await writeFileAtomic(file, texts[turn % 2]!);
    })();
    for (let turn = 0; turn < 50; turn++) expect(texts).toContain(await readFile(file, 'utf8'));
    await writes;
  });
});

describe('readFileIfAny', () => {
  it('tells a missing file from one that cannot be read', async () => {
    expect(await readFileIfAny(path.join(folder, 'missing'))).toBeUndefined();
    await expect(readFileIfAny(folder)).rejects.toThrow(/EISDIR/);
    await writeFile(path.join(folder, 'f'), 'x');
    expect(await readFileIfAny(path.join(folder, 'f'))).toEqual(Buffer.from('x'));
  });
});
