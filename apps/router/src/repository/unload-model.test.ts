import { describe, expect, it } from 'vitest';
import { MemoryRepository, anyCall } from '../../test/memory-repository.ts';
import { unloadModel } from './unload-model.ts';

async function unload(repository: MemoryRepository): Promise<number> {
  let applied = -1;
  await unloadModel({ repository, whenApplied: async (revision) => void (applied = revision) }, 'm', anyCall());
  return applied;
}

describe('unloadModel', () => {
  it('takes all pins away, the lowest first, and waits for the routes of the last', async () => {
    const repository = new MemoryRepository();
    for (const number of [1, 2, 3]) repository.add(number, { 'model.onnx': `${number}` }, { pinned: number !== 2 });
    expect(await unload(repository)).toBe(12);
    expect(repository.log).toEqual(['unpin 1', 'unpin 3']);
  });

  it('is done where nothing is pinned; a release that follows from pins holds nothing', async () => {
    const repository = new MemoryRepository();
    repository.add(1, { 'model.onnx': 'a' });
    repository.model_ = { aliases: [], moves: [], release: { id: 'r', implicit: true, versions: [1] } };
    expect(await unload(repository)).toBe(0);
  });

  it.each([
    [
      { aliases: [{ alias: 'best', version: 2 }] },
      'alias best holds version 2: take it away with `sluice alias delete m best` and unload again',
    ],
    [
      { moves: [{ alias: 'champion', version: 3 }] },
      'the requested move of alias champion holds version 3: end it with `sluice alias cancel m champion`',
    ],
    [{ release: { id: 'm/7', implicit: false, versions: [2, 1] } }, 'release m/7 holds version 2, 1'],
  ])('changes nothing while something else holds a version: %j', async (held, message) => {
    const repository = new MemoryRepository();
    repository.add(1, { 'model.onnx': 'a' }, { pinned: true });
    repository.model_ = { aliases: [], moves: [], release: undefined, ...held };
    const refused = { kind: 'failed-precondition', message: expect.stringContaining(message) as string };
    await expect(unload(repository)).rejects.toMatchObject(refused);
    expect(repository.log).toEqual([]);
  });

  it('knows no other models', async () => {
    await expect(unload(new MemoryRepository())).rejects.toMatchObject({ kind: 'not-found' });
  });
});
