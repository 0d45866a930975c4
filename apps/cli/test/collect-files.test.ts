import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { collectFiles, hashFiles } from '../src/push/collect-files.ts';

describe('collecting the files of a version', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-collect-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(path.join(folder, 'data'));
    await writeFile(path.join(folder, 'model.onnx'), 'abc');
    await writeFile(path.join(folder, 'data', 'w.bin'), '12345');
  });

  it('takes one file, or a folder in order, and leaves hidden ones out', async () => {
    await mkdir(path.join(folder, '.git'));
    await writeFile(path.join(folder, '.DS_Store'), '');
    const { files, left } = await collectFiles(folder);
    expect(files.map((file) => [file.path, file.size])).toEqual([
      ['data/w.bin', 5],
      ['model.onnx', 3],
    ]);
    expect(left).toEqual(['.DS_Store', '.git']);
    expect((await collectFiles(path.join(folder, 'data', 'w.bin'))).files.map((file) => file.path)).toEqual(['w.bin']);
  });

  it('follows links that stay inside, and refuses others', async () => {
    await symlink('data/w.bin', path.join(folder, 'weights.bin'));
    expect((await collectFiles(folder)).files.map((file) => file.path)).toEqual([
      'data/w.bin',
      'model.onnx',
      'weights.bin',
    ]);
    await symlink('/etc/hostname', path.join(folder, 'out'));
    await expect(collectFiles(folder)).rejects.toThrow(/^out is a link to .*, outside the folder$/);
    await rm(path.join(folder, 'out'));
    await symlink('..', path.join(folder, 'data', 'up'));
    await expect(collectFiles(folder)).rejects.toThrow(/^data\/up is a link to a folder that it is in$/);
  });

  it('refuses an empty folder', async () => {
    await mkdir(path.join(folder, 'empty'));
    await expect(collectFiles(path.join(folder, 'empty'))).rejects.toThrow(/has no files/);
  });

  it('hashes', async () => {
    const { files } = await collectFiles(folder);
    let bytes = 0;
    const hashed = await hashFiles(files, (count) => (bytes += count), new AbortController().signal);
    expect(bytes).toBe(8);
    expect(hashed[1]!.sha256).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });
});
