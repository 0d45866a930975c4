import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examples, type Platform } from './platform.ts';

const holdout = path.join(examples, 'digits', 'holdout.csv');

interface Summary {
  readonly output: { readonly file: string; readonly rows: number; readonly bytes: number; readonly sha256: string };
  readonly dataSet: { readonly dataSet: string; readonly version: number } | null;
  readonly manifest: { readonly horizon: string; readonly counts: { readonly labelled: number } };
}

/** `sluice export` on a running platform. */
export function describeExport(platform: () => Platform): void {
  const sluice: Platform['sluice'] = (...args) => platform().sluice(...args);

  describe('export', () => {
    it('writes labelled rows with a manifest, registers them, and gives the same file at the same horizon', async () => {
      const made = await mkdtemp(path.join(tmpdir(), 'sluice-export-'));
      onTestFinished(() => rm(made, { recursive: true, force: true }));
      const output = path.join(made, 'rows.jsonl');
      const scored = path.join(made, 'scored.jsonl');
      expect(
        (await sluice('batch', 'digits', holdout, '--limit', '4', '--columns', 'label', '--output', scored)).code,
      ).toBe(0);
      const rows = (await readFile(scored, 'utf8')).trim().split('\n');
      const answers = rows.map(
        (line) => JSON.parse(line) as { prediction_id: string; row: number; label: string; prediction: string },
      );
      const labels = path.join(made, 'labels.csv');
      await writeFile(
        labels,
        ['prediction_id,row,label', ...answers.map((each) => `${each.prediction_id},${each.row},${each.label}`)].join(
          '\n',
        ),
      );
      await eventually(async () => {
        const { out } = await sluice('label', labels, '--source', 'export');
        expect(out).toMatch(/ 4 duplicate, 0 refused$/);
      }, 30_000);
      // One that waits for its evidence is known too.
      for (const id of new Set(answers.map((each) => each.prediction_id)))
        await eventually(async () => {
          const { labels: joined } = (await sluice('prediction', 'show', id, '--json')).json() as { labels: object[] };
          expect(joined).toHaveLength(answers.filter((each) => each.prediction_id === id).length);
        }, 30_000);
      const asked = ['export', 'digits', '--labelled', '--labels', 'trusted=export', '--from', '1h'];
      const ended = await sluice(...asked, '--output', output, '--data-set', 'digits/labelled', '--json');
      expect([ended.code, ended.notes]).toEqual([0, '']);
      const { output: written, dataSet, manifest } = ended.json() as Summary;
      const bytes = await readFile(output);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      expect(written).toEqual({ file: output, rows: manifest.counts.labelled, bytes: bytes.length, sha256 });
      expect(JSON.parse(await readFile(`${output}.manifest.json`, 'utf8'))).toEqual(manifest);
      const ids = new Set(answers.map((each) => each.prediction_id));
      const found = bytes
        .toString()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
        .filter((row) => ids.has(row['prediction_id'] as string));
      // Requests of this model are not kept, its answers are.
      expect(found).toMatchObject(
        answers
          .toSorted((one, other) => (one.prediction_id < other.prediction_id ? -1 : 1))
          .map(({ prediction_id, row, label, prediction }) => ({
            ...{ prediction_id, row, truth_class: label, predicted_class: prediction, truth_source: 'export' },
            ...{ input_state: 'not-captured', output_state: 'captured' },
          })),
      );
      expect(dataSet).toMatchObject({ dataSet: 'digits/labelled' });
      const shown = (await sluice('dataset', 'show', `digits/labelled@${dataSet!.version}`, '--json')).json();
      expect(shown).toMatchObject({ digest: sha256, location: pathToFileURL(output).href, format: 'jsonl' });
      // The file is there: only on purpose is it made anew, and then nothing of what came since is in it.
      const again = await sluice(...asked, '--output', output);
      expect([again.code, again.notes]).toEqual([2, expect.stringMatching(/is there already\n.*--overwrite/)]);
      await sluice('infer', 'digits', holdout, '--limit', '1', '--label-column', 'label');
      const same = await sluice(
        ...asked,
        '--output',
        output,
        '--overwrite',
        '--horizon',
        manifest.horizon,
        '--from',
        '90m',
        '--data-set',
        'digits/labelled',
      );
      expect([same.code, same.out]).toEqual([0, expect.stringContaining(`sha256:${sha256}`)]);
      expect((await readdir(made)).toSorted()).toEqual(
        ['labels.csv', 'rows.jsonl', 'rows.jsonl.manifest.json', 'scored.jsonl'].toSorted(),
      );
    });

    it('leaves no file where it is refused, and says what to give', async () => {
      const made = await mkdtemp(path.join(tmpdir(), 'sluice-export-'));
      onTestFinished(() => rm(made, { recursive: true, force: true }));
      const ended = (...more: string[]) => sluice('export', 'digits', ...more);
      expect(await ended('--output', path.join(made, 'rows'))).toMatchObject({
        code: 2,
        notes: expect.stringMatching(/says no format\n.*--format csv, jsonl or parquet/) as unknown,
      });
      const output = ['--output', path.join(made, 'rows.csv')];
      expect((await ended(...output, '--role', 'king')).notes).toMatch(/role: "king" given; expected one of primary/);
      expect((await ended(...output, '--horizon', '1')).notes).toMatch(/horizon: "1" given/);
      expect((await ended(...output, '--from', '800d')).notes).toMatch(/expected 366 days at most/);
      expect((await ended(...output, '--run', 'x')).notes).toMatch(/Give --data-set too/);
      expect((await ended(...output, '--data-set', 'a b')).code).toBe(2);
      expect(await readdir(made)).toEqual([]);
    });
  });
}
