import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { examples, type Platform } from './platform.ts';

const name = 'team/origins';

/** Data sets, runs and lineage as people type them, on a running platform. */
export function describeProvenance(platform: () => Platform, temporaryFolder: () => Promise<string>): void {
  const sluice: Platform['sluice'] = (...args) => platform().sluice(...args);
  const done = async (...args: string[]) => {
    const ended = await sluice(...args);
    expect([args, ended.code, ended.notes]).toEqual([args, 0, expect.anything()]);
    return ended.out;
  };

  describe('where things came from', () => {
    it('is said of data sets, runs and versions, and shown as a tree', async () => {
      const folder = await temporaryFolder();
      const [csv, manifest] = ['train.CSV', 'manifest.json'].map((file) => path.join(folder, file)) as [string, string];
      await writeFile(csv, 'p0,label\n1,0\n');
      await writeFile(manifest, '{"query": "all"}');
      expect(await done('dataset', 'add', 'cli/raw', csv, '--rows', '1')).toBe('cli/raw@1 is made');
      expect(await done('dataset', 'add', 'cli/raw', csv, '--rows', '1')).toMatch(/^cli\/raw@1 says the same already/);
      const begun = await done(
        'run',
        'start',
        'cli/clean',
        '--input',
        'cli/raw@1',
        '--scheduled',
        '2026-11-29T00:00:00Z',
      );
      const [, id] = /^(cli\/clean@\d+) has begun\n {2}next: sluice run end \1$/.exec(begun)!;
      expect(await sluice('run', 'start', 'cli/clean', '--scheduled', '2026-11-29T00:00:00Z')).toMatchObject({
        ...{ code: 4, notes: expect.stringMatching(/is attempt 1 of cli\/clean at 2026-11-29/) as unknown },
      });
      const said = ['--columns', 'p0:FP32,label', '--location', 's3://b/t.csv', '--manifest', manifest, '--run', id!];
      await done('dataset', 'add', 'cli/train', csv, '--parent', 'cli/raw@1', ...said);
      const shown = await done('dataset', 'show', 'cli/train');
      expect(shown).toContain(createHash('sha256').update('p0,label\n1,0\n').digest('hex'));
      for (const line of [
        /^format +csv$/m,
        /^rows +not counted$/m,
        /^columns +p0 {2}FP32\n +label$/m,
        /^manifest +\{"query":"all"\}$/m,
      ])
        expect(shown).toMatch(line);
      expect(await done('dataset', 'list')).toMatch(/^cli\/train +1 /m);
      expect(await done('dataset', 'list', 'cli/train')).toMatch(
        /^1 +- +[0-9a-f]{12} .* cli\/raw@1 +s3:\/\/b\/t\.csv$/m,
      );
      const graph = path.join(examples, 'digits', 'linear.onnx');
      await done('push', name, graph, '--run', id!, '--data-set', 'cli/train@1');
      await done('push', name, graph);
      const version = await done('show', name, '1');
      expect(version).toMatch(/^trained on +cli\/train@1$/m);
      expect(version).toContain(`made by run  ${id!}`);
      expect(await done('run', 'end', id!, '--model-version', `${name}:2`)).toMatch(
        new RegExp(`^made +cli/train@1\\n +${name}:1\\n +${name}:2$`, 'm'),
      );
      expect(await done('run', 'show', id!)).toMatch(/^state +succeeded$/m);
      const failing = /^(\S+)/.exec(await done('run', 'start', 'cli/clean'))![1]!;
      expect(await done('run', 'end', failing, '--failed', 'no disk')).toMatch(/^why failed +no disk$/m);
      const list = (await done('run', 'list', 'cli/clean')).split('\n').slice(1);
      expect(list.map((line) => line.split(/ +/)[0])).toEqual([failing, id]);
      expect(await done('run', 'list', '--state', 'failed', '--limit', '1')).toMatch(/failed .*no disk$/m);

      const tree = await done('lineage', `${name}:1`);
      expect(tree).toMatch(
        new RegExp(
          `^came from:\n${name}:1 .*\n├─ made by run ${id!} .*\n│ {2}└─ read cli/raw@1 .*\n└─ trained on cli/train@1 `,
        ),
      );
      expect(await done('lineage', '--data-set', 'cli/raw', '--down', '--depth', '1')).toMatch(/… there is more/);
      expect(await done('lineage', '--run', id!, '--up')).not.toMatch(/reached/);
      const both = JSON.parse(await done('lineage', '--data-set', 'cli/train@1', '--json')) as Record<string, unknown>;
      expect(both).toMatchObject({ up: { more: false }, down: { more: false, nodes: expect.any(Array) as unknown } });
    });

    it('is shown from a prediction on', async () => {
      const holdout = path.join(examples, 'digits', 'holdout.csv');
      await done('pin', name, '1');
      const asked = ['--limit', '1', '--label-column', 'label', '--model-version', '1', '--output', 'csv'];
      const [heading, row] = (await done('infer', name, holdout, ...asked)).split('\n').map((line) => line.split(','));
      const id = row![heading!.indexOf('prediction_id')]!;
      await eventually(async () => {
        const [root, version, maker, ...rest] = (await done('lineage', '--prediction', id)).split('\n');
        expect(root).toMatch(new RegExp(`^prediction ${id}  \\d{4}-`));
        expect(version).toMatch(/^└─ answered by team\/origins:1  ready, .*  \[-, no release\]$/);
        expect(maker).toMatch(/^ {3}├─ made by run cli\/clean@/);
        expect(rest.join('\n')).toMatch(/^ {3}└─ trained on cli\/train@1 /m);
        expect(rest.join('\n')).toMatch(/\n\nAUDIT ENTRY +OF\n\d+ +model\/team\/origins\/version\/1$/);
      }, 30_000);
      const { versions } = JSON.parse(await done('lineage', '--prediction', id, '--json')) as { versions: unknown[] };
      expect(versions).toMatchObject([{ model: name, version: '1', problem: '', attempts: [{ answered: true }] }]);
      await done('unpin', name, '1');
    });

    it('is refused with what is wrong', async () => {
      const refused = async (code: number, notes: RegExp, ...args: string[]) =>
        expect(await sluice(...args)).toMatchObject({ code, notes: expect.stringMatching(notes) as unknown });
      await refused(2, /give FILE or --digest/, 'dataset', 'add', 'cli/raw');
      await refused(2, /is not a file/, 'dataset', 'add', 'cli/raw', examples);
      await refused(2, /^sluice: \/no\/such does not exist/, 'dataset', 'add', 'cli/raw', '/no/such');
      await refused(
        3,
        /parents\[0\]: .* cli\/none@1/,
        'dataset',
        'add',
        'cli/x',
        '--digest',
        '0'.repeat(64),
        '--parent',
        'cli/none@1',
      );
      await refused(2, /Expected NAME@N/, 'run', 'start', 'p', '--input', 'cli/raw');
      await refused(2, /is not a time/, 'run', 'start', 'p', '--scheduled', 'noon');
      await refused(
        3,
        /data_sets\[0\]: .* cli\/none@1/,
        'push',
        name,
        path.join(examples, 'digits', 'linear.onnx'),
        '--data-set',
        'cli/none@1',
      );
      await refused(2, /name one thing/, 'lineage');
      await refused(2, /name one thing/, 'lineage', name, '--run', 'x@1');
      await refused(2, /nothing is made from a prediction/, 'lineage', '--prediction', 'x', '--down');
      await refused(2, /prediction_id/, 'lineage', '--prediction', 'x');
      await refused(
        3,
        /never[- ]seen|no prediction|not/,
        'lineage',
        '--prediction',
        '01993d2c-0000-7000-8000-000000000000',
      );
      await refused(3, /has no version 9/, 'lineage', `${name}:9`);
      await refused(2, /depth: 33 given/, 'lineage', `${name}:1`, '--depth', '33');
    });
  });
}
