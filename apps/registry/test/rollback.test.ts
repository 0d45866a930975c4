import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { Verdict } from './fleet.ts';
import { FakeRuntime } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { followMove, linearModel, push, pushApproved, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;
let runtime: FakeRuntime;
const verdicts = new Map<string, Verdict>();

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  ann = replica.as('ann');
  runtime = FakeRuntime.start(replica.watch(), 'rt-1', (version) => verdicts.get(version) ?? 'ready');
});
afterAll(async () => {
  await runtime.leave();
  await site.close();
});

const champion = { alias: 'champion' };

async function promote(model: string, version: number): Promise<void> {
  const { move } = await ann.moveAlias({ model, ...champion, version });
  await followMove(ann, move!.id);
}

async function aliasOf(model: string) {
  return (await ann.getModel({ name: model })).model?.aliases.find(({ alias }) => alias === 'champion');
}

/** As a version is reported: the end of one that is loaded again takes a moment. */
async function rollback(model: string): Promise<string> {
  const { move } = await ann.rollback({ model });
  const { last } = await followMove(ann, move!.id);
  expect(last.move?.state).toBe('ALIAS_MOVE_STATE_EFFECTIVE');
  return move!.toVersion;
}

describe('a rollback', () => {
  it('after a rollback goes one further back, never to the version that was left', async () => {
    const versions = [];
    for (let at = 0; at < 3; at += 1) versions.push(await pushApproved(replica, 'twice'));
    for (const version of versions) await promote('twice', version);
    expect([await rollback('twice'), await rollback('twice')]).toEqual(['2', '1']);
    await expect(ann.rollback({ model: 'twice' })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('sluice alias set twice champion VERSION') as string,
    });
    await promote('twice', 3);
    expect(await rollback('twice')).toBe('1');
  });

  it('and all before it are in the history, whatever its pages are', async () => {
    const whole = await ann.getAliasHistory({ model: 'twice', ...champion });
    expect(whole.entries.map(({ version }) => version)).toEqual(['1', '2', '3', '2', '1', '3', '1']);
    expect([whole.moves.length, whole.nextPageToken]).toEqual([7, '']);
    for (const alias of ['champion', '']) {
      const entries = [];
      const moves = [];
      for (let pageToken = ''; ;) {
        const page = await ann.getAliasHistory({ model: 'twice', alias, pageSize: 3, pageToken });
        entries.unshift(...page.entries);
        moves.push(...page.moves);
        if (page.nextPageToken === '') break;
        ({ nextPageToken: pageToken } = page);
      }
      expect({ entries, moves }).toEqual({ entries: whole.entries, moves: whole.moves });
    }
  });

  it('and every other change of an alias or pin is refused at a stale revision', async () => {
    for (let at = 0; at < 2; at += 1) await promote('stale', await pushApproved(replica, 'stale'));
    const expectedRevision = (await aliasOf('stale'))!.revision;
    const first = await ann.rollback({ model: 'stale', expectedRevision });
    expect(first.move).toMatchObject({ fromVersion: '2', toVersion: '1' });
    const conflict = { kind: 'conflict', message: expect.stringMatching(/^expected_revision: /) as string };
    await expect(ann.rollback({ model: 'stale', expectedRevision })).rejects.toMatchObject(conflict);
    await expect(ann.deleteAlias({ model: 'stale', ...champion, expectedRevision })).rejects.toMatchObject(conflict);
    await expect(ann.cancelAliasMove({ model: 'stale', ...champion, expectedRevision })).rejects.toMatchObject(
      conflict,
    );
    const { version } = await ann.getVersion({ model: 'stale', version: '1' });
    await ann.pinVersion({ model: 'stale', version: 1, expectedRevision: version!.revision });
    await expect(
      ann.unpinVersion({ model: 'stale', version: 1, expectedRevision: version!.revision }),
    ).rejects.toMatchObject(conflict);
  });

  it('is refused while a move is under way, and a cancel ends that move or comes too late', async () => {
    for (let at = 0; at < 2; at += 1) await promote('racing', await pushApproved(replica, 'racing'));
    const third = await pushApproved(replica, 'racing');
    verdicts.set(String(third), 'loading');
    const { move } = await ann.moveAlias({ model: 'racing', ...champion, version: third });
    await expect(ann.rollback({ model: 'racing' })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('sluice alias cancel racing champion') as string,
    });
    // The report that ends the move and the cancel race; exactly one of them does it.
    verdicts.clear();
    const bob = replica.as('bob');
    const cancelled = await bob.cancelAliasMove({ model: 'racing', ...champion }).then(
      () => true,
      (error: unknown) => {
        expect(error).toMatchObject({ kind: 'failed-precondition' });
        return false;
      },
    );
    const { last } = await followMove(ann, move!.id);
    expect(last.move?.state).toBe(cancelled ? 'ALIAS_MOVE_STATE_CANCELLED' : 'ALIAS_MOVE_STATE_EFFECTIVE');
    expect((await aliasOf('racing'))?.version).toBe(cancelled ? '2' : String(third));
    const { entries } = await ann.getAliasHistory({ model: 'racing', ...champion });
    expect(entries.map((entry) => entry.version)).toEqual(cancelled ? ['1', '2'] : ['1', '2', String(third)]);
  });
});

describe('deleting champion', () => {
  it('is refused while an unapproved pinned version would answer in its place', async () => {
    await promote('heir', await pushApproved(replica, 'heir'));
    const { version } = await push(ann, 'heir', await linearModel());
    await ann.pinVersion({ model: 'heir', version: version.number });
    await expect(ann.deleteAlias({ model: 'heir', ...champion })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringMatching(/sluice unpin heir 2[\s\S]*sluice approve heir 2 --as NAME/) as string,
    });
    expect((await ann.getModel({ name: 'heir' })).release?.arms[0]?.version).toBe('1');
    await replica.as('bob').approve({ model: 'heir', version: version.number });
    await ann.deleteAlias({ model: 'heir', ...champion });
    expect((await ann.getModel({ name: 'heir' })).release?.arms[0]?.version).toBe('2');
  });

  it('needs nothing of a model without approvals, or when nothing is pinned', async () => {
    for (const [model, approvalsRequired] of [
      ['free', 0],
      ['bare', 1],
    ] as const) {
      await promote(model, await pushApproved(replica, model));
      const { version } = await push(ann, model, await linearModel());
      await ann.updateModel({ name: model, approvalsRequired });
      if (model === 'free') await ann.pinVersion({ model, version: version.number });
      await ann.deleteAlias({ model, ...champion });
      await eventually(async () => expect(await aliasOf(model)).toBeUndefined());
    }
  });
});
