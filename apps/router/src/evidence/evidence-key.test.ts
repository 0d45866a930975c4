import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { evidenceKey, readEvidenceKey } from './evidence-key.ts';

const digits = 'a1'.repeat(32);

async function fileWith(text: string, mode = 0o600): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-evidence-key-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'key');
  await writeFile(file, text);
  await chmod(file, mode);
  return file;
}

describe('an evidence key', () => {
  it('is read from 64 hex digits, with or without an end of line', async () => {
    const [one, other] = [
      await readEvidenceKey(await fileWith(digits)),
      await readEvidenceKey(await fileWith(`${digits}\n`)),
    ];
    expect(one.spool).toEqual(other.spool);
    expect(one.spool.key).toHaveLength(32);
    expect(one.hashUnit('u')).toBe(other.hashUnit('u'));
  });

  it('gives two keys, neither of which is itself or the other', () => {
    const secret = Buffer.from(digits, 'hex');
    const { spool, hashUnit } = evidenceKey(secret);
    expect(Buffer.from(spool.key).equals(secret)).toBe(false);
    expect(spool.id).toMatch(/^[0-9a-f]{16}$/);
    expect(hashUnit('user-1')).toHaveLength(16);
    expect(hashUnit('user-1')).not.toBe(hashUnit('user-2'));
    expect(evidenceKey(Buffer.alloc(32)).hashUnit('user-1')).not.toBe(hashUnit('user-1'));
    expect(evidenceKey(Buffer.alloc(32)).spool.id).not.toBe(spool.id);
  });

  it.each([
    ['holds anything else', 'secret', 0o600, 'does not hold 64 hex digits'],
    ['holds too few', digits.slice(1), 0o600, 'does not hold 64 hex digits'],
    ['is large', digits.repeat(2000), 0o600, 'is not a file of a key'],
    ['may be read by others', digits, 0o640, 'has mode 640, so other users may read it: run chmod 600 on it'],
  ])('is refused when its file %s', async (_what, text, mode, problem) => {
    const file = await fileWith(text, mode);
    const refused = readEvidenceKey(file);
    await expect(refused).rejects.toMatchObject({ kind: 'failed-precondition' });
    await expect(refused).rejects.toThrow(problem);
    // Nothing of what it holds is said.
    await expect(refused).rejects.not.toThrow(text.slice(0, 6));
  });

  it('is refused with how to make one when there is no file', async () => {
    await expect(readEvidenceKey(join(tmpdir(), 'no-such-key'))).rejects.toThrow(
      /does not exist: make one with `openssl rand -hex 32`/,
    );
  });
});
