import type { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../../test/spool-rig.ts';
import { compileOptions, maxBlockBytes } from './options.ts';
import type { SpoolOptions } from './options.ts';

const least: SpoolOptions = { folder: '/spool', key: keyOf('one') };

function refusal(change: Partial<SpoolOptions>): string {
  try {
    compileOptions({ ...least, ...change });
  } catch (error) {
    expect((error as SluiceError).kind).toBe('invalid-argument');
    return (error as SluiceError).message;
  }
  throw new Error('it was taken');
}

describe('options', () => {
  it('O1 have defaults', () => {
    const settings = compileOptions(least);
    expect(settings).toMatchObject({ maxBytes: 2 ** 30, segmentBytes: 2 ** 24, flushMs: 200, flushBytes: 2 ** 18 });
    expect(settings).toMatchObject({ bufferBytes: 2 ** 23, segmentMs: 600_000, retryMs: 1000, keys: [least.key] });
    expect(maxBlockBytes(settings)).toBe(2 ** 24 - 88);
  });

  it.each([
    [{ flushMs: -1 }, 'flushMs must be a whole number from 0 up, not -1'],
    [{ flushBytes: 0 }, 'flushBytes must be a whole number from 1 up, not 0'],
    [{ bufferBytes: 1.5 }, 'bufferBytes must be'],
    [{ segmentMs: 0 }, 'segmentMs must be'],
    [{ retryMs: NaN }, 'retryMs must be'],
    [{ segmentBytes: 1023 }, 'segmentBytes must be a whole number from 1024 up'],
    [{ segmentBytes: 2 ** 28 + 1, maxBytes: 2 ** 31 }, 'segmentBytes must be at most 268435456'],
    [{ segmentBytes: 1024, maxBytes: 4095 }, 'maxBytes must be a whole number of at least four segments (4096)'],
    [{ key: { id: 'a', key: Buffer.alloc(31) } }, "key 'a' must have 32 bytes, not 31"],
    [{ key: keyOf('') }, 'the id of a key must have 1 to 64 bytes, not 0'],
    [{ formerKeys: [keyOf('é'.repeat(33))] }, 'the id of a key must have 1 to 64 bytes, not 66'],
    [{ formerKeys: [keyOf('one', 2)] }, 'two keys have the same id'],
  ] satisfies [Partial<SpoolOptions>, string][])('O2 %j is refused', (change, message) => {
    expect(refusal(change)).toContain(message);
  });

  it('O3 are refused with all that is wrong at once', () => {
    expect(refusal({ flushMs: -1, retryMs: 0 })).toMatch(/^spool: flushMs .*; retryMs /);
  });
});
