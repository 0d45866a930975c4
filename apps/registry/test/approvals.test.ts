import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRuntime } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { followMove, linearModel, push, pushApproved, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;
let runtime: FakeRuntime;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  ann = replica.as('ann');
  runtime = FakeRuntime.start(replica.watch(), 'rt-1');
});
afterAll(async () => {
  await runtime.leave();
  await site.close();
});

describe('an approval', () => {
  it('needs a name, where other changes do not', async () => {
    await push(ann, 'named', await linearModel());
    const nobody = replica.as('');
    for (const client of [nobody, replica.as('anonymous')]) {
      await expect(client.approve({ model: 'named', version: 1 })).rejects.toMatchObject({
        kind: 'invalid-argument',
        message: expect.stringMatching(/^sluice-actor: missing; .*sluice approve named 1 --as NAME/) as string,
      });
    }
    const { model } = await nobody.updateModel({ name: 'named', owner: 'vision' });
    expect(model?.settings?.owner).toBe('vision');
    await expect(ann.moveAlias({ model: 'named', alias: 'champion', version: 1 })).rejects.toThrow(/needs an approval/);
  });
});

describe('raising the approvals of a model', () => {
  it.each([true, false])('holds a move that is under way to it (approved meanwhile: %s)', async (approved) => {
    const model = `raised-${approved}`;
    await ann.createModel({ name: model, settings: { approvalsRequired: 0 } });
    await push(ann, model, await linearModel());
    runtime.verdict = () => 'loading';
    const { move } = await ann.moveAlias({ model, alias: 'champion', version: 1 });
    await ann.updateModel({ name: model, approvalsRequired: 1 });
    if (approved) await replica.as('bob').approve({ model, version: 1 });
    runtime.verdict = () => 'ready';
    const { last } = await followMove(ann, move!.id);
    expect(last.move).toMatchObject(
      approved
        ? { state: 'ALIAS_MOVE_STATE_EFFECTIVE', reasons: [] }
        : {
            state: 'ALIAS_MOVE_STATE_WITHDRAWN',
            reasons: [expect.stringContaining(`sluice approve ${model} 1 --as NAME`) as string],
          },
    );
  });
});

describe('without champion, what is pinned', () => {
  const champion = 'champion';
  const answering = async (model: string) => (await ann.getModel({ name: model })).release?.arms[0]?.version;

  async function promote(model: string, version: number): Promise<void> {
    const { move } = await ann.moveAlias({ model, alias: champion, version });
    await followMove(ann, move!.id);
  }

  it('answers only with an approval, once there was a champion', async () => {
    await promote('once', await pushApproved(replica, 'once'));
    for (let made = 0; made < 2; made += 1) await push(ann, 'once', await linearModel());
    await ann.deleteAlias({ model: 'once', alias: champion });
    await expect(ann.pinVersion({ model: 'once', version: 2 })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringMatching(
        /sluice alias set once champion VERSION.*sluice approve once 2 --as NAME/,
      ) as string,
    });
    await ann.pinVersion({ model: 'once', version: 1 });
    expect(await answering('once')).toBe('1');
    await replica.as('bob').approve({ model: 'once', version: 3 });
    await ann.pinVersion({ model: 'once', version: 3 });
    // It is not the highest, so it would not answer now, and would when the highest goes.
    await ann.pinVersion({ model: 'once', version: 2 });
    expect(await answering('once')).toBe('3');
    await expect(ann.unpinVersion({ model: 'once', version: 3 })).rejects.toMatchObject({
      kind: 'failed-precondition',
      message: expect.stringMatching(/sluice unpin once 2.*sluice approve once 2 --as NAME/) as string,
    });
    await ann.unpinVersion({ model: 'once', version: 2 });
    await ann.unpinVersion({ model: 'once', version: 3 });
    await ann.unpinVersion({ model: 'once', version: 1 });
    expect(await answering('once')).toBeUndefined();
  });

  it('answers whatever it is while there never was one', async () => {
    await push(ann, 'never', await linearModel());
    await ann.pinVersion({ model: 'never', version: 1 });
    expect(await answering('never')).toBe('1');
  });

  it('answers whatever it is when the model asks for no approval', async () => {
    await promote('free', await pushApproved(replica, 'free'));
    await push(ann, 'free', await linearModel());
    await ann.updateModel({ name: 'free', approvalsRequired: 0 });
    await ann.deleteAlias({ model: 'free', alias: champion });
    await ann.pinVersion({ model: 'free', version: 2 });
    expect(await answering('free')).toBe('2');
  });
});
