import { randomBytes } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { platform as system } from 'node:process';
import { pathToFileURL } from 'node:url';
import type { Format } from '@sluice/tabular/formats';
import type { Row } from '@sluice/tabular/schema';
import { describe, expect, it } from 'vitest';
import { folder, holdoutDigits, kills, writeTable } from './batch-files.ts';
import type { Platform } from './platform.ts';
import { startProgram } from './program.ts';

/** 80 MB of it as text, 60 MB where it is compressed; six times as much in a soak. */
const largeRows = kills > 2 ? 2_400 : 400;
const noteBytes = 200_000;
/** Of a row group. */
const portionRows = 20;

/** Digits, with a column that nobody wants. It is another text in each row, of which no compression makes nothing. */
async function writeDigits(format: Format, file: string, noteBytes: number): Promise<void> {
  const { columns, rows } = await holdoutDigits(format);
  function* portions(): Iterable<readonly Row[]> {
    for (let first = 0; first < largeRows; first += portionRows)
      yield Array.from({ length: portionRows }, (_, index) => [
        ...rows[(first + index) % rows.length]!,
        randomBytes((noteBytes * 3) / 4).toString('base64'),
      ]);
  }
  await writeTable(format, file, [...columns, { name: 'note', type: 'string', depth: 0 }], portions());
}

/** What `sluice batch` holds of files in memory, on a running platform. */
export function describeBatchMemory(platform: () => Platform): void {
  /** Scores a file in a process with a small heap. @returns its peak of resident memory */
  async function peakOf(input: string): Promise<number> {
    const { env } = platform();
    const output = `${input}.scored.parquet`;
    const peak = `${input}.peak`;
    const url = pathToFileURL(path.join(import.meta.dirname, 'peak-memory.ts'));
    url.searchParams.set('file', peak);
    const { ended, text } = startProgram(
      [
        ...['batch', 'digits', input, '--output', output, '--columns', 'label', '--json'],
        ...['--registry', env['SLUICE_REGISTRY']!, '--router', env['SLUICE_ROUTER']!],
      ],
      'pipe',
      ['--max-old-space-size=48', ...(system === 'linux' ? ['--import', url.href] : [])],
    );
    expect([await ended, text.err]).toEqual([0, '']);
    expect(JSON.parse(text.out)).toMatchObject({ rowsRead: largeRows, output: { rows: largeRows } });
    return system === 'linux' ? Number(await readFile(peak, 'utf8')) : NaN;
  }

  describe('the memory of batch', () => {
    it.each<Format>(['csv', 'jsonl', 'parquet'])(
      'holds no more than it needs of a file of %s that is larger than its memory',
      { timeout: 60_000 * kills },
      async (format) => {
        const made = await folder();
        // The same rows, but for the size of what nobody wants: what is more is held of that.
        const [small, large] = [path.join(made, `small.${format}`), path.join(made, `large.${format}`)];
        await writeDigits(format, small, 4);
        await writeDigits(format, large, noteBytes);
        const { size } = await stat(large);
        expect(size).toBeGreaterThan(50_000_000);
        const [less, more] = await Promise.all([peakOf(small), peakOf(large)]);
        // The limit of the heap does not bound buffers. Elsewhere than on Linux nobody says what the peak was.
        if (system === 'linux') expect(more - less).toBeLessThan(size / 2);
      },
    );
  });
}
