import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examples, type Platform, run } from './platform.ts';

const holdout = path.join(examples, 'digits', 'holdout.csv');

/** Labels and feedback, from a file to the answers of a running platform. */
export function describeLabels(platform: () => Platform): void {
  const sluice: Platform['sluice'] = (...args) => platform().sluice(...args);

  async function folder(): Promise<string> {
    const made = await mkdtemp(path.join(tmpdir(), 'sluice-labels-'));
    onTestFinished(() => rm(made, { recursive: true, force: true }));
    return made;
  }

  /** Predictions of the first rows of the holdout, three rows to a request. */
  async function inferred(count: number): Promise<{ id: string; row: string }[]> {
    const limit = ['--limit', String(count), '--rows', '3', '--label-column', 'label'];
    const { code, out } = await sluice('infer', 'digits', holdout, ...limit, '--output', 'csv');
    expect(code).toBe(0);
    const [heading, ...rows] = out
      .trim()
      .split('\n')
      .map((line) => line.split(','));
    const at = (name: string): number => heading!.indexOf(name);
    return rows.map((cells) => ({ id: cells[at('prediction_id')]!, row: cells[at('row')]! }));
  }

  describe('label and feedback', () => {
    it('send a file of labels, say what became of each, and may do it again', async () => {
      const file = path.join(await folder(), 'labels.csv');
      const rejected = `${file}.rejected`;
      const lines = (await inferred(6)).map(({ id, row }) => `${id},${row},4`);
      expect(lines).toHaveLength(6);
      await writeFile(file, ['prediction_id,row,label', ...lines].join('\n'));
      const first = await sluice('label', file, '--source', 'people', '--json');
      expect(first).toMatchObject({ code: 0, notes: '' });
      expect(first.json()).toMatchObject({ labels: 6, refused: 0, refusals: [] });
      // Sent again they are known; and what has waited for its evidence does no more, sooner or later.
      await eventually(async () => {
        const again = (await sluice('label', file, '--source', 'people')).out;
        expect(again).toBe('6 labels: 0 joined, 0 waiting, 6 duplicate, 0 refused');
      }, 30_000);
      const [id] = lines[0]!.split(',');
      await eventually(async () => {
        const { labels } = (await sluice('prediction', 'show', id!, '--json')).json() as { labels: object[] };
        expect(labels).toHaveLength(3);
      }, 30_000);
      await eventually(
        async () =>
          expect((await sluice('feedback', id!, '--rating', '5')).out).toMatch(/^rating: (?:joined|duplicate)/),
        30_000,
      );
      await writeFile(
        file,
        [
          'prediction_id,row,label,note',
          `${id!},0,4,"good, I think"`,
          '',
          `${id!},7,4,far`,
          `${id!},0,cat,"no\ndigit"`,
          `${id!},x,4,`,
        ].join('\n'),
      );
      const wrong = await sluice('label', file, '--rejected', rejected);
      expect([wrong.code, wrong.out]).toEqual([4, '4 labels: 1 joined, 0 waiting, 0 duplicate, 3 refused']);
      expect(wrong.notes).toMatch(
        /^line 4: INVALID_ARGUMENT row: 7 given; prediction .* has 3 rows, expected 0 to 2$/m,
      );
      expect(wrong.notes).toMatch(
        /^line 5: INVALID_ARGUMENT value: digits version 3 has no class "cat"; its classes are "0", "1",/m,
      );
      expect(wrong.notes).toMatch(/^sluice: 3 labels refused\n {2}They are in /m);
      const written = (await readFile(rejected, 'utf8')).split('\n');
      expect(written[0]).toBe('line,status,reason,prediction_id,row,label,note');
      expect(written).toHaveLength(6);
      expect(written.join('\n')).toContain(`7,INVALID_ARGUMENT,"row: ""x"" is no whole number from 0",${id!},x,4,\n`);
      expect(written.join('\n')).toContain(`${id!},0,cat,"no\ndigit"\n`);
    });

    it('show how much of a file is sent, where a person looks', async () => {
      const file = path.join(await folder(), 'labels.csv');
      const { id } = (await inferred(1))[0]!;
      await writeFile(file, `prediction_id,label\n${`${id},4\n`.repeat(3_000)}`);
      const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
      const drawn = text(terminal);
      expect((await run(['label', file], platform().env, terminal)).out).toMatch(/^3000 labels: .* 0 refused$/);
      terminal.end();
      const percents = [...(await drawn).matchAll(/labelling +[█░]+ (\d+) % /g)].map(([, percent]) => Number(percent));
      expect(percents).toEqual(percents.toSorted((one, other) => one - other));
      expect([percents.at(0), percents.at(-1)]).toEqual([0, 100]);
    });

    it('say several things of a prediction, and what is wrong with one', async () => {
      const id = (await inferred(1))[0]!.id;
      const said = () =>
        sluice(
          'feedback',
          id,
          '--rating',
          '-3',
          '--text',
          'no',
          '--json-value',
          '{"a":1}',
          '--correction',
          '5',
          '--reward',
          '0',
          '--row',
          '0',
        );
      await eventually(
        async () =>
          expect((await said()).out.split('\n')).toEqual(
            ['rating', 'reward', 'correction', 'text', 'json'].map((kind) => `${kind}: duplicate, prediction ${id}`),
          ),
        30_000,
      );
      const wrong = await sluice('feedback', id, '--rating', '500');
      expect(wrong).toMatchObject({
        code: 4,
        notes: expect.stringContaining(
          'rating was refused: rating: 500 given; expected a number from -100 to 100',
        ) as string,
      });
      expect(await sluice('feedback', id)).toMatchObject({
        code: 2,
        notes: expect.stringContaining('nothing is said') as string,
      });
      const waits = await sluice('feedback', 'order-77', '--model', 'digits', '--correction-number', '3');
      expect(waits.out).toMatch(/^correction: waiting until \d{4}-/);
    });

    it('refuse files that are none of labels, and say where feedback is to be found', async () => {
      const file = path.join(await folder(), 'labels.csv');
      await writeFile(file, 'a,b\n1,2\n');
      expect(await sluice('label', file)).toMatchObject({
        code: 2,
        notes: expect.stringMatching(/^sluice: the file has neither a column "prediction_id"/) as string,
      });
      expect(await sluice('label', path.dirname(file))).toMatchObject({
        code: 2,
        notes: expect.stringContaining('is a folder') as string,
      });
      expect(await sluice('label', `${file}.none`)).toMatchObject({
        code: 2,
        notes: expect.stringContaining('does not exist') as string,
      });
      await writeFile(file, 'prediction_id,label\nx,1\n');
      const away = await sluice('label', file, '--feedback', '127.0.0.1:1');
      expect(away).toMatchObject({ code: 5, notes: expect.stringContaining('Is feedback running there?') as string });
    });
  });
}
