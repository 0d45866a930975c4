import { createHash } from 'node:crypto';
import { appendFile, cp, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { dataSetService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import type { Format } from '@sluice/tabular/formats';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it, onTestFinished } from 'vitest';
import { digitsAs, folder, holdout, kills, rowsOf } from './batch-files.ts';
import { examples, type Platform } from './platform.ts';
import { startProgram } from './program.ts';

interface Summary {
  readonly version: string;
  readonly rowsRead: number;
  readonly resumedAt: number;
  readonly rejected: number;
  readonly output: { readonly rows: number; readonly sha256: string };
  readonly dataSet: { readonly dataSet: string; readonly version: number } | null;
}

const rightOf = (rows: readonly Readonly<Record<string, unknown>>[]): number =>
  rows.filter((row) => String(row['prediction']) === String(row['label'])).length;

/** `sluice batch` on a running platform. */
export function describeBatch(platform: () => Platform): void {
  describe('batch', () => {
    it.each<[Format, Format]>([
      ['csv', 'parquet'],
      ['jsonl', 'csv'],
      ['parquet', 'jsonl'],
    ])('scores the holdout digits as %s to %s: 586 of 597 are right', async (from, to) => {
      const made = await folder();
      const input = from === 'csv' ? holdout : path.join(made, `digits.${from}`);
      if (from !== 'csv') await digitsAs(from, input);
      const output = path.join(made, `scored.${to}`);
      const ended = await platform().sluice('batch', 'digits', input, '--output', output, '--id-column', 'label');
      expect([ended.code, ended.notes]).toEqual([0, expect.stringMatching(/^597 rows by digits version 3 in /)]);
      const rows = await rowsOf(output);
      expect(rows.map((row) => Number(row['input_row']))).toEqual(Array.from({ length: 597 }, (_, index) => index));
      expect(rightOf(rows)).toBe(586);
      expect(Object.keys(rows[0]!)).toEqual([
        ...['label', 'input_row', 'prediction_id', 'row', 'version', 'prediction', 'class', 'probability'],
        'probabilities',
      ]);
      expect(new Set(rows.map((row) => `${String(row['prediction_id'])} ${String(row['row'])}`)).size).toBe(597);
      expect(await readdir(made)).toEqual(
        from === 'csv' ? ['scored.parquet'] : [`digits.${from}`, `scored.${to}`].sort(),
      );
    });

    it.each<[Format, Format, number]>([
      ['parquet', 'parquet', kills],
      ['jsonl', 'csv', Math.ceil(kills / 4)],
      ['csv', 'jsonl', Math.ceil(kills / 4)],
    ])(
      'from %s to %s goes on after kill -9 where it was: every row is there once, in order',
      { timeout: 120_000 * kills },
      async (from, to, kills) => {
        const times = 2 + Math.floor(kills / 3);
        const made = await folder();
        const input = path.join(made, `digits.${from}`);
        await digitsAs(from, input, times);
        const output = path.join(made, `scored.${to}`);
        const { env } = platform();
        const args = ['batch', 'digits', input, '--output', output, '--columns', 'label', '--rows', '2'];
        const all = [
          ...args,
          '--checkpoint',
          '40',
          '--registry',
          env['SLUICE_REGISTRY']!,
          '--router',
          env['SLUICE_ROUTER']!,
        ];
        const journalLines = async () =>
          (await readFile(`${output}.journal`, 'utf8').catch(() => '')).split('\n').length - 1;
        for (let kill = 1; kill <= kills; kill += 1) {
          const before = await journalLines();
          const { child, ended, text } = startProgram(all);
          await eventually(async () => {
            if (child.exitCode !== null) throw new Error(`ended too early: ${text.err}`);
            if ((await journalLines()) < before + 3) throw new Error('no checkpoints yet');
          }, 60_000);
          child.kill('SIGKILL');
          expect(await ended).toBeNull();
        }
        const last = await platform().sluice(...all, '--json');
        expect([last.code, last.notes]).toEqual([0, '']);
        const summary = last.json() as Summary;
        expect(summary.resumedAt).toBeGreaterThanOrEqual(Math.min(80 * kills, 160));
        expect(summary.rowsRead).toBe(597 * times);
        const rows = await rowsOf(output);
        expect(rows.map((row) => Number(row['input_row']))).toEqual(
          Array.from({ length: 597 * times }, (_, index) => index),
        );
        expect(rightOf(rows)).toBe(586 * times);
        expect(
          createHash('sha256')
            .update(await readFile(output))
            .digest('hex'),
        ).toBe(summary.output.sha256);
        expect(await readdir(made)).toEqual([`digits.${from}`, `scored.${to}`]);
      },
    );

    it('is of the lowest level of priority: it is scored where the other levels refuse all they get', async () => {
      const made = await folder();
      await cp(path.join(examples, 'digits', 'cnn'), path.join(made, 'levels'), { recursive: true });
      const impatient = ['timeout_action: reject', 'default_timeout_microseconds: 1', 'priority_queue_policy: {3: {}}'];
      const levels = ['priority_levels: 3', 'default_priority_level: 1', 'max_queue_delay_microseconds: 50000'];
      const manifest = path.join(made, 'levels', 'sluice.yaml');
      await appendFile(manifest, ['batching:', ...levels, ...impatient].join('\n  '));
      expect(await platform().sluice('push', 'levels', path.dirname(manifest))).toMatchObject({ code: 0 });
      const version = ['--model-version', '1'];
      const infer = () => platform().sluice('infer', 'levels', holdout, '--label-column', 'label', ...version);
      // A request of level 1 waits for company, for longer than it may. The first one waits for the version, too.
      await eventually(
        async () => expect((await infer()).notes).toMatch(/longer than defaultTimeoutMicroseconds allows/),
        30_000,
      );
      const output = path.join(made, 'scored.csv');
      expect(await platform().sluice('batch', 'levels', holdout, '--output', output, ...version)).toMatchObject({
        code: 0,
        notes: expect.stringMatching(/\n597 rows by levels version 1 in /) as unknown,
      });
    });

    it('stops at a row that is wrong, goes on when it is to be passed over, and lists it', async () => {
      const made = await folder();
      const input = path.join(made, 'digits.csv');
      const output = path.join(made, 'scored.csv');
      const lines = (await readFile(holdout, 'utf8')).split('\n').slice(0, 101);
      lines[51] = lines[51]!.replace(/^[^,]*/, 'dark');
      lines[61] = '1,2';
      await writeFile(input, lines.join('\n'));
      const batch = (...more: string[]) =>
        platform().sluice('batch', 'digits', input, '--output', output, '--columns', 'label', '--rows', '16', ...more);
      const stopped = await batch();
      expect(stopped.code).toBe(2);
      expect(stopped.notes).toMatch(
        /^50 rows done; the same command goes on.*\nsluice: line 52, column "p0": "dark" is not a number \(FP32\)\n.*--on-error skip/,
      );
      expect(await batch('--limit', '7')).toMatchObject({
        code: 2,
        notes: expect.stringMatching(/is of another run: --limit was null, now 7[^]*--restart/) as unknown,
      });
      const gone = await batch('--on-error', 'skip', '--json');
      expect(gone.json()).toMatchObject({
        rowsRead: 100,
        resumedAt: 50,
        rejected: 2,
        output: { rows: 98 },
        dataSet: null,
      });
      expect((await rowsOf(output)).map((row) => Number(row['input_row']))).toEqual(
        Array.from({ length: 100 }, (_, index) => index).filter((index) => index !== 50 && index !== 60),
      );
      expect(await readFile(`${output}.rejects.jsonl`, 'utf8')).toBe(
        '{"row":50,"line":52,"reason":"column \\"p0\\": \\"dark\\" is not a number (FP32)"}\n'.replace(
          '"column',
          '"line 52, column',
        ) + '{"row":60,"line":62,"reason":"has 2 cells where 65 are expected"}\n',
      );
      expect((await batch('--on-error', 'skip')).notes).toMatch(/scored\.csv is there already\n.*--overwrite/);
      const again = await batch('--on-error', 'skip', '--overwrite', '--limit', '10', '--json');
      expect(again.json()).toMatchObject({ rowsRead: 10, rejected: 0, output: { rows: 10 } });
    });

    it('does not go on with an input that was changed', async () => {
      const made = await folder();
      const input = path.join(made, 'digits.csv');
      const output = path.join(made, 'scored.csv');
      const [heading, ...lines] = (await readFile(holdout, 'utf8')).split('\n').slice(0, 5);
      await writeFile(input, [heading, ...lines, 'x'].join('\n'));
      const batch = (...more: string[]) => platform().sluice('batch', 'digits', input, '--output', output, ...more);
      expect((await batch('--columns', 'label')).code).toBe(2);
      await writeFile(input, [heading, ...lines, ...lines].join('\n'));
      expect(await batch('--columns', 'label')).toMatchObject({
        code: 2,
        notes: expect.stringMatching(/is of another run: the input is another: it had \d+ bytes/) as unknown,
      });
      expect((await batch('--columns', 'label', '--restart', '--json')).json()).toMatchObject({
        rowsRead: 8,
        resumedAt: 0,
      });
    });

    it('registers what it made with what it was made of, and refuses an input that is another', async () => {
      const made = await folder();
      const output = path.join(made, 'scored.parquet');
      const client = createRpcClient(dataSetService, platform().registry, { clock: systemClock });
      onTestFinished(() => client.close());
      const digest = createHash('sha256')
        .update(await readFile(holdout))
        .digest('hex');
      await client.createDataSetVersion({ dataSet: 'digits/holdout', digest });
      const batch = (file: string, ...more: string[]) =>
        platform().sluice(
          'batch',
          'digits',
          file,
          '--output',
          output,
          '--data-set',
          'digits/scored',
          '--input-data-set',
          'digits/holdout@1',
          ...more,
        );
      expect((await batch(path.join(examples, 'digits', 'drifted.csv'), '--columns', 'label')).notes).toMatch(
        /--input-data-set: digits\/holdout@1 has the digest e866df1d.*, the input /,
      );
      const ended = await batch(holdout, '--columns', 'label', '--limit', '20', '--json');
      const summary = ended.json() as Summary;
      expect(summary.dataSet).toEqual({ dataSet: 'digits/scored', version: 1 });
      const { version } = await client.getDataSetVersion({ dataSet: 'digits/scored', version: 1 });
      expect(version).toMatchObject({
        digest: summary.output.sha256,
        rowCount: '20',
        format: 'parquet',
        parents: [{ dataSet: 'digits/holdout', version: '1' }],
        location: expect.stringMatching(/^file:\/\/.*scored\.parquet$/) as unknown,
        createdBy: 'pusher',
      });
      expect(version!.columns.at(-1)).toEqual({ name: 'probabilities', type: 'list<float>' });
      expect(JSON.parse(version!.manifestJson)).toMatchObject({ model: 'digits', model_version: 3, rows_read: 20 });
    });

    it('says what is wrong before it begins', async () => {
      const made = await folder();
      const output = path.join(made, 'scored.csv');
      const refused = async (...args: string[]) => (await platform().sluice('batch', ...args)).notes;
      expect(await refused('digits', '-', '--output', output)).toMatch(/standard input cannot be scored by batch/);
      expect(await refused('digits', '/no/such.csv', '--output', output)).toBe('sluice: /no/such.csv does not exist');
      expect(await refused('digits', holdout, '--output', 'x.txt')).toMatch(
        /the name of x\.txt says no format\n.*--format/,
      );
      expect(await refused('digits', holdout, '--output', output, '--columns', 'nobody')).toMatch(
        /--columns: the input has no column "nobody"; it has "p0", /,
      );
      expect(await refused('digits', holdout, '--output', output, '--rows', '65536')).toMatch(/takes 64 in a request/);
      expect(await refused('nothing', holdout, '--output', output)).toMatch(/nothing/);
      expect(await refused('digits', holdout, '--output', output, '--columns', 'label', '--outputs', 'x')).toMatch(
        /has no output "x"; it has probabilities/,
      );
      expect(await refused('digits', holdout, '--output', output, '--input-data-set', 'a@1')).toMatch(
        /Give --data-set too/,
      );
      const byRun = ['--columns', 'label', '--data-set', 'digits/by-run', '--run'];
      expect(await refused('digits', holdout, '--output', output, ...byRun, 'no@1')).toMatch(/there is no run "no@1"/);
      const { id } = (await platform().sluice('run', 'start', 'batch/score', '--json')).json() as { id: string };
      await platform().sluice('run', 'end', id);
      expect(await refused('digits', holdout, '--output', output, ...byRun, id)).toMatch(
        /--run: batch\/score@\d+ has ended, so it makes nothing more/,
      );
      expect(await refused('digits', holdout, '--output', path.join(made, 'none', 'x.csv'))).toMatch(
        /^sluice: there is no folder .*none for the output$/,
      );
      expect(await refused('digits', holdout, '--output', holdout, '--overwrite')).toMatch(/would be overwritten/);
      expect(await readdir(made)).toEqual([]);
    });
  });
}
