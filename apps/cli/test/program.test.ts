import { open } from 'node:fs/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProgram } from './program.ts';

describe('standard output', () => {
  it('that cannot be written is one line and status 1', async () => {
    const full = await open('/dev/full', 'w');
    onTestFinished(() => full.close());
    const { text, ended } = startProgram(['--help'], full.fd);
    expect(await ended).toBe(1);
    expect(text.err).toBe('sluice: cannot write to standard output: ENOSPC: no space left on device, write\n');
  });

  it('that nobody reads any more is no failure', async () => {
    const { child, text, ended } = startProgram(['--help']);
    child.stdout!.destroy();
    expect(await ended).toBe(0);
    expect(text.err).toBe('');
  });
});
