import { chmod, mkdir, readdir, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@sluice/service-kit/clock';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { createAdmission } from '../src/admission/create-admission.ts';
import { FolderStore } from '../src/artifacts/folder-store.ts';
import { store } from './admission-fixture.ts';
import { inChunks, sha256Of, temporaryFolder } from './artifact-store-contract.ts';

const bytes = Buffer.from(identityModel('FP32'));
const digest = sha256Of(bytes);
const promise = { sha256: digest, size: bytes.length };

async function setUp() {
  const folder = await temporaryFolder();
  const artifacts = new FolderStore({ clock: systemClock, folder });
  const workFolder = join(folder, 'work');
  const admission = createAdmission({ store: artifacts, clock: systemClock, workFolder, timeLimitMs: 10_000 });
  const candidate = await store(artifacts, { 'model.onnx': bytes, 'note.txt': 'a note' });
  const file = join(folder, 'sha256', digest.slice(0, 2), digest.slice(2, 4), digest);
  await chmod(file, 0o600);
  return { folder, artifacts, admission, candidate, file, workFolder };
}

describe('an artifact that the disk has damaged', () => {
  it('is found by admission and set aside, so that the next upload stores it again', async () => {
    const { folder, artifacts, admission, candidate, file } = await setUp();
    const rotten = Buffer.from(bytes);
    rotten[rotten.length - 1]! ^= 1;
    await writeFile(file, rotten);
    expect(await artifacts.put(promise, inChunks(bytes))).toEqual({ stored: false });
    await expect(admission.inspect(candidate)).rejects.toMatchObject({
      kind: 'data-loss',
      message: expect.stringContaining(`"model.onnx" are damaged: artifact ${digest}`) as string,
    });
    expect(await readdir(join(folder, 'damaged'))).toEqual([expect.stringContaining(digest)]);
    await expect(admission.inspect(candidate)).rejects.toThrow(/not uploaded yet: "model\.onnx"/);
    expect(await artifacts.put(promise, inChunks(bytes))).toEqual({ stored: true });
    expect(await admission.inspect(candidate)).toMatchObject({ graphPath: 'model.onnx' });
  });

  it('is written again by an upload when bytes are missing, and set aside by admission', async () => {
    const { artifacts, admission, candidate, file } = await setUp();
    await truncate(file, 10);
    expect(await artifacts.put(promise, inChunks(bytes))).toEqual({ stored: true });
    expect(await artifacts.stat(digest)).toMatchObject({ size: bytes.length });
    await chmod(file, 0o600);
    await truncate(file, 10);
    await expect(admission.inspect(candidate)).rejects.toMatchObject({ kind: 'data-loss' });
    expect(await artifacts.stat(digest)).toBeUndefined();
  });
});

describe('folders of admissions that a killed registry left', () => {
  it('are removed when no child can be alive any more', async () => {
    const { admission, workFolder } = await setUp();
    await admission.sweep();
    for (const name of ['admission-old', 'admission-new', 'other']) {
      await mkdir(join(workFolder, name, 'inside'), { recursive: true });
    }
    const old = new Date(Date.now() - 21_000);
    for (const name of ['admission-old', 'other']) await utimes(join(workFolder, name), old, old);
    await admission.sweep();
    expect((await readdir(workFolder)).toSorted()).toEqual(['admission-new', 'other']);
  });
});
