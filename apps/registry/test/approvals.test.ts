import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeRuntime } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { linearModel, push, Site } from './harness.ts';

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
