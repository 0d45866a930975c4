import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { registryService } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { createRegistryClient } from '../src/registry-client.ts';
import type { RegistryClientOptions } from '../src/registry-client.ts';
import { cleanups } from './cleanups.ts';
import { serve } from './world.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function client(port: number, options: RegistryClientOptions = {}) {
  const made = createRegistryClient(`127.0.0.1:${port}`, options);
  cleanups.push(() => made.close());
  return made;
}

async function fileOf(bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-client-'));
  cleanups.push(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'model.onnx');
  await writeFile(file, bytes);
  return file;
}

describe('RegistryClient', () => {
  it('sends its actor, and retries what changes nothing', async () => {
    let [gets, creates] = [0, 0];
    const { port } = await serve(registryService, {
      getModel: async (_request, ctx) => {
        if (++gets < 3) throw new SluiceError('unavailable', 'Postgres is away');
        return { model: { name: ctx.actor } };
      },
      createModel: async () => {
        creates++;
        throw new SluiceError('conflict', 'revision 7 is current');
      },
    });
    const { registry } = client(port, { actor: 'ada' });
    expect((await registry.getModel({ name: 'm' })).model?.name).toBe('ada');
    await expect(registry.createModel({ name: 'm' })).rejects.toMatchObject({ kind: 'conflict' });
    expect([gets, creates]).toEqual([3, 1]);
  });

  it('sends a change once when nobody knows whether it was made', async () => {
    let rollbacks = 0;
    const { port } = await serve(registryService, {
      rollback: async () => {
        rollbacks++;
        throw new SluiceError('unavailable', 'the database connection broke while the change was committed');
      },
    });
    await expect(client(port).registry.rollback({ model: 'm' })).rejects.toMatchObject({ kind: 'unavailable' });
    expect(rollbacks).toBe(1);
  });

  it('uploads a file in chunks of at most 1 MiB with its digest, and says how far it is', async () => {
    const bytes = randomBytes(2_500_000);
    const file = await fileOf(bytes);
    const received: { header?: unknown; sizes: number[]; hash: ReturnType<typeof createHash> } = {
      sizes: [],
      hash: createHash('sha256'),
    };
    const { port } = await serve(registryService, {
      statArtifacts: async () => ({ present: [] }),
      uploadArtifact: async (requests) => {
        for await (const message of requests)
          if (message.part === 'header') received.header = message.header;
          else {
            received.sizes.push(message.chunk!.length);
            received.hash.update(message.chunk!);
          }
        return { sha256: sha256(bytes), size: bytes.length, stored: true };
      },
    });
    const progress: number[] = [];
    const upload = await client(port).uploadFile(file, (done, total) => {
      expect(total).toBe(bytes.length);
      progress.push(done);
    });
    expect(upload).toEqual({ sha256: sha256(bytes), size: bytes.length, stored: true });
    expect(received.header).toMatchObject({ sha256: sha256(bytes), size: String(bytes.length) });
    expect(received.sizes).toEqual([1_048_576, 1_048_576, bytes.length - 2_097_152]);
    expect(received.hash.digest('hex')).toBe(sha256(bytes));
    expect(progress).toEqual([1_048_576, 2_097_152, bytes.length]);
  });

  it('does not send what the registry has', async () => {
    const bytes = randomBytes(10);
    const { port } = await serve(registryService, { statArtifacts: async ({ sha256: asked }) => ({ present: asked }) });
    const upload = await client(port).uploadFile(await fileOf(bytes));
    expect(upload).toEqual({ sha256: sha256(bytes), size: 10, stored: false });
  });

  it('cuts chunks that are too large', async () => {
    const sizes: number[] = [];
    const { port } = await serve(registryService, {
      uploadArtifact: async (requests) => {
        for await (const { chunk } of requests) if (chunk) sizes.push(chunk.length);
        return {};
      },
    });
    const large = (async function* () {
      yield new Uint8Array(3_000_000);
    })();
    await client(port).upload({ sha256: 'x', size: 3_000_000 }, large);
    expect(Math.max(...sizes)).toBe(1_048_576);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(3_000_000);
  });

  it('goes on with a download where it broke off, and checks the digest', async () => {
    const bytes = randomBytes(300_000);
    const offsets: string[] = [];
    const first = await serve(registryService, {
      downloadArtifact: async function* ({ offset }) {
        offsets.push(offset);
        yield { chunk: bytes.subarray(Number(offset), Number(offset) + 100_000) };
        if (Number(offset) + 100_000 < bytes.length) throw new SluiceError('unavailable', 'moving');
      },
    });
    const resuming = client(first.port);
    const got: Uint8Array[] = [];
    for await (const chunk of resuming.download(sha256(bytes))) got.push(chunk);
    expect(Buffer.concat(got).equals(bytes)).toBe(true);
    expect(offsets).toEqual(['0', '100000', '200000']);
    const wrong = async (): Promise<void> => {
      for await (const chunk of resuming.download('f'.repeat(64))) expect(chunk.length).toBeGreaterThan(0);
    };
    await expect(wrong()).rejects.toMatchObject({ kind: 'data-loss' });
  });
});
