import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { exitCodes } from '../exit-codes.ts';
import { checkWritable } from './output-files.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

it('finds a file that cannot be written, and leaves what is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  folders.push(folder);
  const [old, made, lost] = ['old.csv', 'made.json', 'no-such-folder/a.html'].map((name) => join(folder, name));
  await writeFile(old!, 'kept');
  await checkWritable([old!, made!]);
  expect([await readFile(old!, 'utf8'), await readFile(made!, 'utf8')]).toEqual(['kept', '']);
  for (const path of [lost!, folder]) {
    await expect(checkWritable([old!, path])).rejects.toMatchObject({
      code: exitCodes.usage,
      message: expect.stringContaining(`cannot write ${path}: `) as string,
    });
  }
});
