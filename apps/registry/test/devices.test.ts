import type { Device } from '@sluice/contracts/gen/sluice/registry/v1/Device';
import { eventually } from '@sluice/testkit/eventually';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FakeRuntime } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { followMove, linearModel, push, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;
const runtimes: FakeRuntime[] = [];

const there = (name: string): Device => ({ name, state: 'DEVICE_STATE_AVAILABLE' });
const missing = (name: string, detail: string): Device => ({ name, state: 'DEVICE_STATE_MISSING', detail });
/** In pool `default` and of software that knows of no devices, or in a pool with some. */
function runtime(id: string, pool = 'default', ...devices: readonly Device[]): FakeRuntime {
  const started = FakeRuntime.startIn(replica.watch(), id, pool, devices);
  runtimes.push(started);
  return started;
}
const live = (count: number) =>
  eventually(async () => expect((await ann.listLeases({})).runtimes.filter((one) => one.live)).toHaveLength(count));

async function pushFor(model: string, device: string): Promise<number> {
  const files = (await linearModel()).set('sluice.yaml', Buffer.from(device === '' ? '' : `device: "${device}"\n`));
  const { version } = await push(ann, model, files);
  expect(version.rejection).toBe('');
  await replica.as('bob').approve({ model, version: version.number });
  return Number(version.number);
}

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start({});
  ann = replica.as('ann');
});
afterEach(async () => {
  for (const one of runtimes.splice(0)) await one.leave();
});
afterAll(async () => {
  await site.close();
});

/** Moves an alias and answers how that ended. */
async function moveTo(model: string, alias: string, version: number, timeoutMs = 0) {
  const { move } = await ann.moveAlias({ model, alias, version, timeoutMs });
  return (await followMove(ann, move!.id)).last.move!;
}

describe('a version that asks for a device', () => {
  beforeAll(async () => {
    // Versions 1 and 2 of one model: the first for a second card, the other for the CPU.
    await pushFor('digits', 'cuda:1');
    await pushFor('digits', '');
    await pushFor('any', 'cuda');
  });

  it('is refused a move and a pin while no live runtime offers it, and the words say who has what', async () => {
    runtime('rt-old');
    runtime('rt-gpu', 'gpu', there('cpu'), there('cuda:0'));
    await live(2);
    const refusal = {
      kind: 'failed-precondition',
      message: expect.stringContaining(
        'digits version 1 cannot be loaded: no live runtime offers cuda:1: pool default has cpu; pool gpu has cpu, cuda:0',
      ) as string,
    };
    await expect(ann.moveAlias({ model: 'digits', alias: 'champion', version: 1 })).rejects.toMatchObject(refusal);
    await expect(ann.pinVersion({ model: 'digits', version: 1 })).rejects.toMatchObject(refusal);
    expect((await ann.getModel({ name: 'digits' })).model?.aliases).toEqual([]);
  });

  it('is loaded by the runtimes that offer it, of any pool, and waits for no others', async () => {
    const cpu = runtime('rt-cpu', 'default', there('cpu'));
    const gpu = runtime('rt-gpu', 'gpu', there('cpu'), there('cuda:1'));
    const both = runtime('rt-both', 'default', there('cpu'), there('cuda:3'));
    await live(3);
    for (const [model, version] of [
      ['digits', 1],
      ['any', 1],
      ['digits', 2],
    ] as const) {
      expect(await moveTo(model, 'champion', version)).toMatchObject({
        state: 'ALIAS_MOVE_STATE_EFFECTIVE',
        reasons: [],
      });
    }
    const assigned = (one: FakeRuntime): readonly string[] => [...one.assigned.keys()].sort();
    await eventually(() => expect(assigned(both)).toEqual(['any:1', 'digits:2']));
    expect([assigned(cpu), assigned(gpu)]).toEqual([['digits:2'], ['any:1', 'digits:1']]);
    await gpu.leave();
    await expect(ann.rollback({ model: 'digits' })).rejects.toThrow(
      'no live runtime offers cuda:1: pool default has cpu',
    );
  });

  it('is withdrawn with the way to install it where the device is missing on all that should have it', async () => {
    const gpu = runtime('rt-gpu', 'gpu', missing('cuda:1', 'no driver. install one'));
    gpu.verdict = () => ({ failed: 'cuda:1 is missing: no driver. install one' });
    await live(1);
    expect((await ann.listLeases({})).runtimes.find((one) => one.live)).toMatchObject({
      devices: [{ name: 'cuda:1', state: 'DEVICE_STATE_MISSING', detail: 'no driver. install one' }],
    });
    expect(await moveTo('digits', 'next', 1)).toMatchObject({
      state: 'ALIAS_MOVE_STATE_WITHDRAWN',
      reasons: ['runtime rt-gpu failed: cuda:1 is missing: no driver. install one'],
    });
  });

  it('is withdrawn, with what there is, when those that offered it leave', async () => {
    runtime('rt-cpu');
    const gpu = runtime('rt-gpu', 'gpu', there('cuda:1'));
    gpu.verdict = () => 'loading';
    await live(2);
    const { move } = await ann.moveAlias({ model: 'digits', alias: 'next', version: 1, timeoutMs: 500 });
    await gpu.leave();
    expect((await followMove(ann, move!.id)).last.move?.reasons).toEqual([
      'no live runtime of a pool that offers cuda:1 reported it ready before the time-out',
      'no live runtime offers cuda:1: pool default has cpu',
    ]);
  });

  it('is admitted on the CPU, and its report says so', async () => {
    const report = async (version: string) => (await ann.getVersion({ model: 'digits', version })).version?.admission;
    expect((await report('1'))?.derived).toContain('admission runs on the CPU, not on cuda:1');
    expect((await report('2'))?.derived.join()).not.toContain('admission runs');
  });
});

describe('a lease', () => {
  const lease = { runtimeId: 'rt', pool: 'default', address: '127.0.0.1:1', ttlMs: 600 };

  it('has what the runtime says of its devices and of where its sessions are', async () => {
    const versions = [
      {
        ...{ model: 'm', version: '1', state: 'LOAD_STATE_READY' as const, reason: '' },
        ...{ devicesAsked: 'cuda ×2', devicesGot: 'cuda:0 ×2' },
      },
    ];
    for (const device of [missing('cuda:0', 'no driver'), there('cuda:0')])
      await replica.watch().renewRuntimeLease({ ...lease, versions, devices: [device] });
    const { runtimes: leases } = await ann.listLeases({});
    expect(leases.find(({ runtimeId }) => runtimeId === 'rt')).toMatchObject({ versions, devices: [there('cuda:0')] });
    await replica.watch().releaseLease({ holderId: 'rt' });
  });

  it('is refused with names that no device has, and with too many', async () => {
    const watch = replica.watch();
    for (const name of ['', 'CUDA', 'cuda:01', 'cuda:', 'a b', 'x'.repeat(33)]) {
      await expect(watch.renewRuntimeLease({ ...lease, devices: [there(name)] })).rejects.toThrow(/^devices: "/);
    }
    const many = Array.from({ length: 65 }, (_, number) => there(`cuda:${number}`));
    await expect(watch.renewRuntimeLease({ ...lease, devices: many })).rejects.toThrow('expected at most 64');
    const following = watch.watchAssignments({ runtimeId: 'rt', pool: 'default', devices: ['no device'] });
    await expect(following.next()).rejects.toThrow(/^devices: "no device" given/);
  });
});
