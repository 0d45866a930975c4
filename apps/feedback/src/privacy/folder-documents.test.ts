import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ErasureOrder } from './erasure.ts';
import { FolderDocuments } from './folder-documents.ts';

const orderOf = (number: number, over: Partial<ErasureOrder> = {}): ErasureOrder => ({
  ...{ number, erasureId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`, actor: 'ann' },
  ...{ subjectHash: 'ab'.repeat(32), reason: 'a letter', requestId: '', orderedMs: 1_790_000_000_123 },
  ...{ keyIds: ['0198c0de-0000-4000-8000-000000000001'], ...over },
});

async function world() {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-erasures-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const documents = new FolderDocuments(folder);
  const after = async (last: number) => {
    const found: ErasureOrder[] = [];
    for await (const order of documents.after(last)) found.push(order);
    return found;
  };
  return { folder: join(folder, 'erasures'), documents, after };
}

describe('orders in the artifact store', () => {
  it('come back as they were written, in order, from a number on', async () => {
    const { folder, documents, after } = await world();
    expect(await after(0)).toEqual([]);
    for (const number of [999, 1_000, 2, 12_345, 1]) await documents.write(orderOf(number));
    await documents.write(orderOf(2));
    expect(await after(0)).toEqual([1, 2, 999, 1_000, 12_345].map((number) => orderOf(number)));
    expect((await after(999)).map(({ number }) => number)).toEqual([1_000, 12_345]);
    expect((await readdir(folder)).toSorted()).toEqual(['0000000000000', '0000000000001', '0000000000012']);
    // What an attempt left behind is no document.
    await writeFile(join(folder, '0000000000000', '.0000000000000003.json.x.tmp'), '{');
    expect(await after(1_000)).toHaveLength(1);
  });

  it('are not replaced by another one unasked', async () => {
    const { documents, after } = await world();
    await documents.write(orderOf(7));
    const other = orderOf(7, { erasureId: orderOf(8).erasureId });
    expect(await documents.write(other)).toEqual(orderOf(7));
    expect(await after(0)).toEqual([orderOf(7)]);
    expect([await documents.read(7), await documents.read(8)]).toEqual([orderOf(7), undefined]);
    // But by whoever has kept that one elsewhere.
    await documents.replace(other);
    expect(await after(0)).toEqual([other]);
  });

  it('are refused when they cannot be written or read, or say something else', async () => {
    const { folder, documents, after } = await world();
    await mkdir(join(folder, '0000000000000', '0000000000000001.json'), { recursive: true });
    await expect(documents.write(orderOf(1))).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(after(0)).rejects.toMatchObject({ kind: 'unavailable' });
    await rm(join(folder, '0000000000000', '0000000000000001.json'), { recursive: true });
    await documents.write(orderOf(2));
    const path = join(folder, '0000000000000', '0000000000000003.json');
    const good = { format: 'sluice erasure 1', number: 3, erasure_id: orderOf(3).erasureId, key_ids: [] };
    const rest = {
      ordered_at: '2026-01-01T00:00:00.000Z',
      subject_hash: 'ab'.repeat(32),
      request_id: '',
      actor: 'a',
      reason: 'r',
    };
    for (const [name, bad] of [
      ...[
        ['format', 'sluice erasure 2'],
        ['number', 0],
        ['number', 4],
        ['erasure_id', 'x'],
        ['key_ids', ['x']],
        ['key_ids', 'x'],
      ],
      ...[
        ['ordered_at', 'soon'],
        ['subject_hash', 'ab'],
        ['actor', undefined],
      ],
    ] as [string, unknown][]) {
      await writeFile(path, JSON.stringify({ ...good, ...rest, [name]: bad }));
      await expect(after(2), name).rejects.toMatchObject({ kind: 'data-loss' });
    }
    await writeFile(path, JSON.stringify({ ...good, ...rest }));
    expect(await after(2)).toHaveLength(1);
    // What is damaged is written again by whoever has the order.
    await writeFile(path, '{');
    expect(await documents.read(3)).toBeUndefined();
    expect(await documents.write(orderOf(3))).toBeUndefined();
    expect(await documents.read(3)).toEqual(orderOf(3));
  });
});
