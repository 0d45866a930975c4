import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { watchService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examples, type Platform, run } from './platform.ts';

const name = 'team/changes';
const linear = path.join(examples, 'digits', 'linear.onnx');

/** Changes that are few to a test elsewhere: who makes them, what they leave, and how a push looks. */
export function describeChanges(platform: () => Platform): void {
  const sluice: Platform['sluice'] = (...args) => platform().sluice(...args);

  describe('changes', () => {
    it('are shown by bars that fill up, where a person looks', async () => {
      const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bars-'));
      onTestFinished(() => rm(folder, { recursive: true, force: true }));
      await copyFile(linear, path.join(folder, 'model.onnx'));
      await writeFile(path.join(folder, 'notes.bin'), randomBytes(8 * 1024 * 1024));
      const terminal = Object.assign(new PassThrough(), { isTTY: true, columns: 120 });
      const drawn = text(terminal);
      expect(await run(['push', name, folder], platform().env, terminal)).toMatchObject({ code: 0 });
      terminal.end();
      const bars = [...(await drawn).matchAll(/(hashing|uploading) +[█░]+ (\d+) % (\S+ \S+) of 8\.0 MiB/g)];
      for (const what of ['hashing', 'uploading']) {
        const percents = bars.filter((bar) => bar[1] === what).map((bar) => Number(bar[2]));
        expect(percents).toEqual(percents.toSorted((one, other) => one - other));
        expect([percents.at(0), percents.at(-1)]).toEqual([0, 100]);
      }
    });

    it('are made in the name of SLUICE_ACTOR, and of --as above it', async () => {
      const lastActor = async () =>
        ((await sluice('audit', 'show', `model/${name}`, '--limit', '1', '--json')).json() as { actor: string }[])[0]!
          .actor;
      const set = async (...args: string[]) =>
        run(['model', 'set', name, '--approvals', '0', ...args], { ...platform().env, SLUICE_ACTOR: 'ann' });
      expect(await set('--description', 'one')).toMatchObject({ code: 0 });
      expect(await lastActor()).toBe('ann');
      expect(await set('--description', 'two', '--as', 'bob')).toMatchObject({ code: 0 });
      expect(await lastActor()).toBe('bob');
    });

    it('of an alias that are under way are cancelled, and an alias is deleted', async () => {
      expect(await sluice('alias', 'set', name, 'stable', '1')).toMatchObject({ code: 0 });
      const release = await platform().holdMoves();
      await sluice('push', name, path.join(examples, 'digits', 'mlp.onnx'));
      await sluice('alias', 'set', name, 'stable', '2', '--no-wait');
      expect((await sluice('model', 'show', name)).out).toMatch(/stable=1 \(moving to 2\)/);
      expect(await sluice('alias', 'cancel', name, 'stable')).toMatchObject({
        code: 0,
        out: `${name} stable to version 2: cancelled; stable stays where it was`,
      });
      await release();
      expect((await sluice('alias', 'history', name)).out).toMatch(/^stable +2 +cancelled /m);
      expect(await sluice('alias', 'cancel', name, 'stable')).toMatchObject({ code: 4 });

      expect(await sluice('alias', 'delete', name, 'stable')).toMatchObject({
        code: 0,
        out: `${name} stable is deleted; its history stays`,
      });
      expect(await sluice('show', name, 'stable')).toMatchObject({ code: 3 });
      expect((await sluice('alias', 'history', name)).out).toMatch(/^stable +1 +\S+ \S+ +\d/m);
    });

    it('of what ended its runtimes are refused, with the way out, until that is lifted', async () => {
      const shown = (await sluice('show', name, '1', '--json')).json() as { digest: string };
      const watch = createRpcClient(watchService, platform().registry, { clock: systemClock });
      const strike = { pool: 'default', model: name, version: 1, digest: shown.digest, at: { seconds: 1, nanos: 0 } };
      for (const [index, kind] of ['crashed', 'hung', 'crashed-loading'].entries()) {
        const runtimeId = `runtime-${index}`;
        await watch.renewRuntimeLease({ runtimeId, pool: 'default', address: '127.0.0.1:1', ttlMs: 1_000 });
        await watch.reportStrike({ ...strike, strikeId: `cli-${index}`, runtimeId, kind });
        await watch.releaseLease({ holderId: runtimeId });
      }
      watch.close();
      const why =
        'it ended its runtime 3 times: crashed runtime-0, hung runtime-1, crashed while it was loaded by runtime-2';
      const wayOut = `\`sluice quarantine lift ${name} 1\``;
      expect((await sluice('versions', name)).out).toMatch(/^1 +quarantined /m);
      const { out } = await sluice('show', name, '1');
      expect(out).toMatch(/^quarantined +in pool default since .*: it ended its runtime 3 times: /m);
      expect(out).toContain(wayOut);
      for (const command of [['runtimes'], ['quarantine', 'list']])
        expect((await sluice(...command)).out).toMatch(new RegExp(`^${name}:1 +default +.* ${why}$`, 'm'));
      for (const command of [
        ['alias', 'set', name, 'stable', '1'],
        ['pin', name, '1'],
      ]) {
        const refused = await sluice(...command);
        expect(refused).toMatchObject({ code: 4, notes: expect.stringContaining(wayOut) as unknown });
      }
      expect(await sluice('quarantine', 'lift', name, '1')).toMatchObject({
        code: 0,
        out: `${name} version 1 may be loaded again`,
      });
      expect((await sluice('quarantine', 'list')).out).toBe('nothing is quarantined');
      expect((await sluice('versions', name)).out).toMatch(/^1 +ready /m);
    });

    it('that delete a version leave its tombstone', async () => {
      expect(await sluice('delete', name, '2')).toMatchObject({ code: 0 });
      expect((await sluice('versions', name)).out).not.toMatch(/^2 /m);
      expect((await sluice('versions', name, '--deleted')).out).toMatch(/^2 +deleted /m);
      expect(await sluice('delete', name, '2')).toMatchObject({ code: 3 });
      expect((await sluice('push', name, linear)).out).toMatch(/version 3 is ready/);
    });
  });
}
