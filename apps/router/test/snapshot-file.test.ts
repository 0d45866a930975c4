import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SnapshotFile } from '../src/watch/snapshot-file.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { temporaryFolder } from './world.ts';

const routes = wireRoutes(7, [wireModel({ aliases: { champion: 3 }, release: 3, placed: [3], unplaced: [1] })], {
  addresses: ['127.0.0.1:8011'],
});

async function written() {
  const file = new SnapshotFile(join(await temporaryFolder(), 'state', 'routes.snapshot'));
  await file.write(routes);
  return file;
}

describe('SnapshotFile', () => {
  it('reads what was written, and nothing when there is no file', async () => {
    const file = await written();
    expect(await file.read()).toEqual({
      ...routes,
      models: [{ ...routes.models[0]! }],
    });
    expect(await new SnapshotFile(`${file.path}.none`).read()).toBeUndefined();
  });

  it('refuses a file with any byte changed, and one that was cut off', async () => {
    const file = await written();
    const bytes = await readFile(file.path);
    for (let at = 0; at < bytes.length; at += 7) {
      const spoilt = Buffer.from(bytes);
      spoilt[at]! ^= 0x40;
      await writeFile(file.path, spoilt);
      await expect(file.read(), `byte ${at}`).rejects.toThrow('is damaged');
    }
    for (const length of [0, 10, 32, bytes.length - 1]) {
      await writeFile(file.path, bytes.subarray(0, length));
      await expect(file.read(), `length ${length}`).rejects.toThrow('is damaged');
    }
  });
});
