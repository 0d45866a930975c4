import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examples, type Platform } from './platform.ts';
import { allCommands } from './program.ts';

const name = 'team/json';
const digits = (file: string) => path.join(examples, 'digits', file);

/** Every command once at least, in an order in which each succeeds; `alias cancel` needs a move that is held. */
const steps: readonly (readonly [command: string, ...args: string[]])[] = [
  ['dataset add', 'json/raw', digits('holdout.csv'), '--rows', '597'],
  ['dataset add', 'json/train', '--digest', 'a'.repeat(64), '--parent', 'json/raw@1'],
  ['dataset list'],
  ['dataset show', 'json/train'],
  ['run start', 'json/train', '--input', 'json/train@1'],
  ['run list', 'json/train'],
  ['push', name, digits('linear.onnx'), '--data-set', 'json/train@1'],
  ['push', name, digits('mlp.onnx')],
  ['push', name, digits('cnn.onnx')],
  ['model set', name, '--approvals', '0'],
  ['approve', name, '1', '--as', 'other'],
  ['alias set', name, 'champion', '1'],
  ['alias set', name, 'champion', '2'],
  ['rollback', name],
  ['release put', name, '--arm', 'primary=champion:90', '--arm', 'next=2:10'],
  ['release show', name],
  ['release end', name],
  ['alias set', name, 'extra', '1'],
  ['alias delete', name, 'extra'],
  ['pin', name, '2'],
  ['unpin', name, '2'],
  ['delete', name, '3'],
  ['models'],
  ['model show', name],
  ['versions', name],
  ['show', name],
  ['alias history', name],
  ['asof', name, '2100-01-01T00:00:00Z'],
  ['runtimes'],
  ['quarantine list'],
  ['quarantine lift', name, '2'],
  ['infer', name, digits('holdout.csv'), '--limit', '2', '--label-column', 'label'],
  ['batch', name, digits('holdout.csv'), '--columns', 'label', '--limit', '2', '--output', 'OUTPUT'],
  ['bench', name, '--request-rate-range', '100', '--request-count', '10', '--no-calibration'],
  ['lineage', `${name}:1`],
  ['label', path.join(examples, '..', '..', 'apps', 'cli', 'test', 'labels.csv'), '--model', name],
  ['feedback', 'nobody-asked', '--model', name, '--rating', '5'],
  ['audit verify'],
  ['audit show'],
  ['audit key'],
];

/** `--json`, command by command, on a running platform. */
export function describeJsonDocuments(platform: () => Platform): void {
  describe('--json', () => {
    it('gives one document on standard output and nothing else, by every command', { timeout: 120_000 }, async () => {
      const seen = new Set<string>();
      const folder = await mkdtemp(path.join(tmpdir(), 'sluice-json-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      const document = async (command: string, ...args: string[]): Promise<void> => {
        const given = args.map((arg) => (arg === 'OUTPUT' ? path.join(folder, 'output.csv') : arg));
        const ended = await platform().sluice(...command.split(' '), ...given, '--json');
        // On a busy machine a row of a tenth of a second may not be sound, which `bench` says by its status.
        if (command !== 'bench') expect([command, ended.code, ended.notes]).toEqual([command, 0, '']);
        expect(ended.json(), command).toBeTypeOf('object');
        seen.add(command);
      };
      for (const [command, ...args] of steps) await document(command, ...args);
      const runs = (await platform().sluice('run', 'list', '--json')).json() as { id: string }[];
      await document('run show', runs[0]!.id);
      await document('run end', runs[0]!.id);
      const release = await platform().holdMoves();
      await document('alias set', name, 'held', '1', '--no-wait');
      await document('alias cancel', name, 'held');
      await release();
      const [newest] = await eventually(async () => {
        const { json } = await platform().sluice('predictions', name, '--json');
        const found = json() as { predictionId: string }[];
        expect(found.length).toBeGreaterThan(0);
        return found;
      }, 30_000);
      await document('predictions', name);
      await document('prediction show', newest!.predictionId);
      await document('stats', name);
      await document('export', name, '--output', path.join(folder, 'rows.jsonl'));
      // Nobody has sent anything of that subject; what lies in the spool is drained all the same.
      const { json } = await platform().sluice('erase', 'nobody', '--reason', 'a letter', '--json');
      expect(json()).toMatchObject({ state: 'ERASURE_STATE_DONE' });
      await document('erase subject', 'nobody', '--reason', 'another letter');
      await document('erase list');
      await document('erase show', (json() as { erasureId: string }).erasureId);
      await document('erase spools');
      const spools = await platform().sluice('erase', 'spools', '--json');
      const [{ spoolId }] = spools.json() as [{ spoolId: string }];
      await document('erase forget', spoolId, '--reason', 'its disk is gone');
      // What feedback tells the audit log comes a little later.
      await eventually(async () => {
        const log = await platform().sluice('audit', 'show', 'erasure', '--json');
        expect(JSON.stringify(log.json())).toContain('feedback.erase_subject');
      }, 30_000);
      expect([...seen].sort()).toEqual(allCommands().sort());
    });
  });
}
