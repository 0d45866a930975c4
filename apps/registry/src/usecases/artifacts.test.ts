import { createHash } from 'node:crypto';
import { unavailable } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
// eslint-disable-next-line no-restricted-imports -- this is a test
import { FakeClock } from '@sluice/testkit/fake-clock';
import { MemoryStore } from '../artifacts/memory-store.ts';
import type { UploadPart } from './artifacts.ts';
import { downloadArtifact, statArtifacts, uploadArtifact, uploadIdleMs } from './artifacts.ts';

const bytes = Buffer.from('a small artifact');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const header: UploadPart = { header: { sha256, size: bytes.length } };

function setUp() {
  const clock = new FakeClock();
  const used: string[] = [];
  const use = {
    noteUse: async (files: readonly { sha256: string }[]) => void used.push(...files.map((f) => f.sha256)),
  };
  return { clock, used, ports: { artifacts: new MemoryStore({ clock }), use, available: () => undefined, clock } };
}

async function* stream(...parts: readonly UploadPart[]): AsyncGenerator<UploadPart, void, void> {
  yield* parts;
}

describe('artifacts', () => {
  it('are stored, noted as used, and come back from an offset', async () => {
    const { ports, used } = setUp();
    const parts = stream(header, { chunk: bytes.subarray(0, 5) }, { chunk: bytes.subarray(5) });
    expect(await uploadArtifact(ports, parts)).toEqual({ sha256, size: bytes.length, stored: true });
    expect(used).toEqual([sha256]);
    expect(await statArtifacts(ports, [sha256, sha256, 'a'.repeat(64)])).toEqual([sha256]);
    const chunks = [];
    for await (const chunk of downloadArtifact(ports, { sha256, offset: 2 })) chunks.push(chunk);
    expect(Buffer.concat(chunks)).toEqual(bytes.subarray(2));
    const beyond = downloadArtifact(ports, { sha256, offset: bytes.length + 1 });
    await expect(beyond.next()).rejects.toThrow(/^offset: /);
  });

  it('are not said to be there when collection came before the use was noted', async () => {
    const { ports } = setUp();
    await uploadArtifact(ports, stream(header, { chunk: bytes }));
    const noteUse = async () => {
      await ports.artifacts.delete(sha256);
    };
    expect(await statArtifacts({ ...ports, use: { noteUse } }, [sha256])).toEqual([]);
    const again = uploadArtifact({ ...ports, use: { noteUse } }, stream(header, { chunk: bytes }));
    await expect(again).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('are refused before a byte of them is taken while uses cannot be noted', async () => {
    const { ports } = setUp();
    const available = () => {
      throw unavailable('the database is away');
    };
    let taken = 0;
    async function* endless(): AsyncGenerator<UploadPart, void, void> {
      yield header;
      for (taken = 1; ; taken += 1) yield { chunk: bytes };
    }
    await expect(uploadArtifact({ ...ports, available }, endless())).rejects.toMatchObject({ kind: 'unavailable' });
    expect(taken).toBe(0);
  });

  it('are refused without a header, with two, and under a name that is no digest', async () => {
    const { ports } = setUp();
    await expect(uploadArtifact(ports, stream())).rejects.toThrow(/^header: /);
    await expect(uploadArtifact(ports, stream({ chunk: bytes }))).rejects.toThrow(/^header: /);
    await expect(uploadArtifact(ports, stream(header, header))).rejects.toThrow(/^chunk: message 1 /);
    const named = { header: { sha256: '../../etc', size: 1 } };
    await expect(uploadArtifact(ports, stream(named))).rejects.toThrow(/^header.sha256: /);
    await expect(statArtifacts(ports, ['x'])).rejects.toThrow(/^sha256\[0\]: /);
  });

  it('whose upload falls silent are given up at the idle time-out, not before', async () => {
    const { ports, clock } = setUp();
    async function* silent(): AsyncGenerator<UploadPart, void, void> {
      yield header;
      await new Promise(() => undefined);
    }
    let ended: unknown;
    const upload = uploadArtifact(ports, silent()).catch((error: unknown) => (ended = error));
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
    clock.advance(uploadIdleMs - 1);
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
    expect(ended).toBeUndefined();
    clock.advance(1);
    await upload;
    expect(ended).toMatchObject({ kind: 'deadline-exceeded' });
    expect(clock.pendingTimers).toBe(0);
  });
});
