import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '@sluice/testkit/eventually';
import type { Verdict } from './fleet.ts';
import { FakeRouter, FakeRuntime, pause } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { followMove, pushApproved, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;
const members: (FakeRuntime | FakeRouter)[] = [];

const runtime = (id: string, verdict?: (version: string) => Verdict): FakeRuntime => {
  const started = FakeRuntime.start(replica.watch(), id, verdict);
  members.push(started);
  return started;
};
const router = (id: string): FakeRouter => {
  const started = FakeRouter.start(replica.watch(), id);
  members.push(started);
  return started;
};

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start({ SLUICE_RETAIN_MS: '3000' });
  ann = replica.as('ann');
});
afterEach(async () => {
  for (const member of members.splice(0)) await member.leave();
});
afterAll(async () => {
  await site.close();
});

describe('a requested move', () => {
  it('is withdrawn with every reason when all runtimes fail, and the alias never moves', async () => {
    const good = await pushApproved(replica, 'withdrawn');
    const bad = await pushApproved(replica, 'withdrawn');
    const fails = (version: string): Verdict => (version === String(bad) ? { failed: 'bad opset' } : 'ready');
    runtime('rt-a', fails);
    runtime('rt-b', fails);
    const following = router('router-a');
    const first = await ann.moveAlias({ model: 'withdrawn', alias: 'champion', version: good });
    await followMove(ann, first.move!.id);
    const second = await ann.moveAlias({ model: 'withdrawn', alias: 'champion', version: bad });
    const { last } = await followMove(ann, second.move!.id);
    expect(last.move).toMatchObject({
      state: 'ALIAS_MOVE_STATE_WITHDRAWN',
      reasons: ['runtime rt-a failed: bad opset', 'runtime rt-b failed: bad opset'],
    });
    expect(following.primary('withdrawn')).toBe(good);
    const { model } = await ann.getModel({ name: 'withdrawn' });
    expect(model?.aliases).toMatchObject([{ alias: 'champion', version: String(good), pending: null }]);
  });

  it('leaves no alias behind when the first one is withdrawn', async () => {
    const version = await pushApproved(replica, 'first');
    const { move } = await ann.moveAlias({ model: 'first', alias: 'champion', version, timeoutMs: 300 });
    const pending = await ann.getModel({ name: 'first' });
    expect(pending.model?.aliases).toMatchObject([{ alias: 'champion', version: '0', pending: { id: move!.id } }]);
    const { last } = await followMove(ann, move!.id);
    expect(last.move?.reasons).toEqual([
      'no live runtime of pool default reported it ready before the time-out',
      'pool default has no live runtime',
    ]);
    expect((await ann.getModel({ name: 'first' })).model?.aliases).toEqual([]);
    await ann.moveAlias({ model: 'first', alias: 'champion', version, expectedRevision: 0, timeoutMs: 300 });
  });

  it('takes effect at its time-out with one runtime that is ready, naming the other', async () => {
    const version = await pushApproved(replica, 'half');
    runtime('rt-fast');
    runtime('rt-slow', () => 'loading');
    await eventually(async () => {
      const { runtimes } = await ann.listLeases({});
      expect(runtimes.filter(({ live }) => live)).toHaveLength(2);
    });
    const { move } = await ann.moveAlias({ model: 'half', alias: 'champion', version, timeoutMs: 3_000 });
    const { last } = await followMove(ann, move!.id);
    expect(last.move).toMatchObject({
      state: 'ALIAS_MOVE_STATE_EFFECTIVE',
      reasons: ['runtime rt-slow is still loading it'],
    });
  });

  it('waits for a runtime that joins while it is under way, and not for one that leaves', async () => {
    const version = await pushApproved(replica, 'joining');
    runtime('rt-stays');
    const leaving = runtime('rt-leaves', () => 'loading');
    const states = async (): Promise<Record<string, string | undefined>> => {
      const live = (await ann.listLeases({})).runtimes.filter((one) => one.live);
      const stateOf = (one: (typeof live)[number]) => one.versions.find(({ model }) => model === 'joining')?.state;
      return Object.fromEntries(live.map((one) => [one.runtimeId, stateOf(one)]));
    };
    await eventually(async () => expect(Object.keys(await states())).toEqual(['rt-leaves', 'rt-stays']));
    const { move } = await ann.moveAlias({ model: 'joining', alias: 'champion', version, timeoutMs: 60_000 });
    let verdict: Verdict = 'loading';
    runtime('rt-joins', () => verdict);
    await eventually(async () =>
      expect(await states()).toEqual({
        'rt-joins': 'LOAD_STATE_LOADING',
        'rt-leaves': 'LOAD_STATE_LOADING',
        'rt-stays': 'LOAD_STATE_READY',
      }),
    );
    await leaving.leave();
    await eventually(async () => expect(Object.keys(await states())).toEqual(['rt-joins', 'rt-stays']));
    // Longer than the controller's turn, which would end the move were it not to wait.
    await pause(1_500);
    const { model } = await ann.getModel({ name: 'joining' });
    expect(model?.aliases).toMatchObject([{ alias: 'champion', version: '0', pending: { id: move!.id } }]);
    verdict = 'ready';
    const { last } = await followMove(ann, move!.id);
    expect(last.move).toMatchObject({ state: 'ALIAS_MOVE_STATE_EFFECTIVE', reasons: [] });
  });

  it('waits for a router that is slow to apply, and says which', async () => {
    const version = await pushApproved(replica, 'routers');
    runtime('rt-1');
    router('router-quick');
    const slow = router('router-slow');
    await eventually(() => expect(slow.updates).toBeGreaterThan(0));
    slow.stuck = true;
    const { move } = await ann.moveAlias({ model: 'routers', alias: 'champion', version });
    for await (const message of ann.watchAliasMove({ moveId: move!.id })) {
      if (message.move?.state !== 'ALIAS_MOVE_STATE_EFFECTIVE') continue;
      const applied = Object.fromEntries(message.routers.map((entry) => [entry.routerId, entry.applied]));
      if (applied['router-quick'] !== true) continue;
      expect([applied, message.done]).toEqual([{ 'router-quick': true, 'router-slow': false }, false]);
      break;
    }
    slow.stuck = false;
    const { last } = await followMove(ann, move!.id);
    expect(last.routers.every((entry) => entry.applied)).toBe(true);
  });

  it('is cancelled by a person, after which the alias may be moved again', async () => {
    const version = await pushApproved(replica, 'cancelled');
    const other = await pushApproved(replica, 'cancelled');
    const { move } = await ann.moveAlias({ model: 'cancelled', alias: 'champion', version });
    await expect(ann.moveAlias({ model: 'cancelled', alias: 'champion', version: other })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringContaining('sluice alias cancel cancelled champion') as string,
    });
    const again = await ann.moveAlias({ model: 'cancelled', alias: 'champion', version });
    expect(again.move?.id).toBe(move!.id);
    const cancelled = await ann.cancelAliasMove({ model: 'cancelled', alias: 'champion' });
    expect(cancelled.move).toMatchObject({ state: 'ALIAS_MOVE_STATE_CANCELLED', reasons: ['cancelled by ann'] });
    await expect(ann.cancelAliasMove({ model: 'cancelled', alias: 'champion' })).rejects.toMatchObject({
      kind: 'failed-precondition',
    });
  });

  it('that changes nothing answers with the move that did', async () => {
    const version = await pushApproved(replica, 'same');
    runtime('rt-1');
    const { move } = await ann.moveAlias({ model: 'same', alias: 'champion', version });
    await followMove(ann, move!.id);
    const again = await ann.moveAlias({ model: 'same', alias: 'champion', version });
    expect(again.move).toMatchObject({ id: move!.id, state: 'ALIAS_MOVE_STATE_EFFECTIVE' });
  });
});

describe('a version that an alias left', () => {
  it('stays placed for the retention and no longer; rolling back then is a move like any other', async () => {
    const one = await pushApproved(replica, 'kept');
    const two = await pushApproved(replica, 'kept');
    const loading = runtime('rt-1');
    for (const version of [one, two]) {
      const { move } = await ann.moveAlias({ model: 'kept', alias: 'champion', version });
      await followMove(ann, move!.id);
    }
    await eventually(() => expect(loading.assigned.get(`kept:${one}`)?.heldBy).toEqual(['retained:champion']));
    await eventually(() => expect(loading.assigned.has(`kept:${one}`)).toBe(false));
    const { move } = await ann.rollback({ model: 'kept' });
    expect(move?.state).toBe('ALIAS_MOVE_STATE_REQUESTED');
    const { last } = await followMove(ann, move!.id);
    expect(last.move).toMatchObject({ state: 'ALIAS_MOVE_STATE_EFFECTIVE', toVersion: String(one) });
  });

  it('is not there for a model whose champion never changed', async () => {
    const version = await pushApproved(replica, 'never');
    runtime('rt-1');
    await expect(ann.rollback({ model: 'never' })).rejects.toThrow(/champion has no version/);
    const { move } = await ann.moveAlias({ model: 'never', alias: 'champion', version });
    await followMove(ann, move!.id);
    await expect(ann.rollback({ model: 'never' })).rejects.toThrow(/had no version before this one/);
  });
});

describe('a lease', () => {
  it('lapses when its holder falls silent, and the routers are told', async () => {
    const dying = runtime('rt-dying');
    const living = runtime('rt-living');
    const following = router('router-1');
    const ids = (): readonly string[] => following.runtimes.map((entry) => entry.runtimeId);
    await eventually(() => expect(ids()).toEqual(['rt-dying', 'rt-living']));
    dying.kill();
    await eventually(() => expect(ids()).toEqual(['rt-living']));
    const { runtimes } = await ann.listLeases({});
    expect(runtimes.map(({ runtimeId, live }) => [runtimeId, live])).toContainEqual(['rt-dying', false]);
    await living.leave();
    await eventually(() => expect(ids()).toEqual([]));
  });

  it('must name its holder, an address and states that exist', async () => {
    const watch = replica.watch();
    const lease = { runtimeId: 'rt', pool: 'default', address: '127.0.0.1:1', ttlMs: 0 };
    expect(await watch.renewRuntimeLease(lease)).toEqual({ ttlMs: 3_000, takesEvicted: true });
    await watch.releaseLease({ holderId: 'rt' });
    await expect(watch.renewRuntimeLease({ ...lease, runtimeId: '' })).rejects.toThrow(/^runtime_id: /);
    await expect(watch.renewRuntimeLease({ ...lease, address: 'here' })).rejects.toThrow(/^address: /);
    const versions = [{ model: 'm', version: 1, reason: '' }];
    await expect(watch.renewRuntimeLease({ ...lease, versions })).rejects.toThrow(/^versions\[0\].state: /);
  });
});
