import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Signature__Output } from '@sluice/contracts/gen/sluice/registry/v1/Signature';
import pg from 'pg';
import type { StrikeKind } from '@sluice/domain/quarantine';
import { eventually } from '@sluice/testkit/eventually';
import { FakeRouter, FakeRuntime } from './fleet.ts';
import type { RegistryClient, Replica } from './harness.ts';
import { followMove, linearModel, push, pushApproved, Site } from './harness.ts';

let site: Site;
let replica: Replica;
let ann: RegistryClient;
const members: (FakeRuntime | FakeRouter)[] = [];
let runtime: FakeRuntime;
let router: FakeRouter;

beforeAll(async () => {
  site = await Site.open();
  replica = await site.start();
  ann = replica.as('ann');
});
afterEach(async () => {
  for (const member of members.splice(0)) await member.leave();
});
afterAll(async () => {
  await site.close();
});

async function pushFor(model: string, device: string): Promise<number> {
  if (device === '') return pushApproved(replica, model);
  const files = (await linearModel()).set('sluice.yaml', Buffer.from(`device: ${device}\n`));
  const { version } = await push(ann, model, files);
  await replica.as('bob').approve({ model, version: version.number });
  return Number(version.number);
}

/** Files that admission rejects: the graph gives something else than they say. */
async function wrongModel({ inputs, outputs }: Signature__Output): Promise<Map<string, Uint8Array>> {
  const golden = {
    name: 'impossible',
    inputs: { [inputs[0]!.name]: [Array.from({ length: 64 }, () => 0)] },
    outputs: { [outputs.find(({ datatype }) => datatype === 'FP32')!.name]: [Array.from({ length: 10 }, () => 1e9)] },
  };
  return (await linearModel()).set('sluice.yaml', Buffer.from(JSON.stringify({ golden: [golden] })));
}

/** A model whose last version is champion, perhaps after an earlier one, and who follows it. */
async function placed(
  model: string,
  versions = 1,
  device = '',
): Promise<{ good: number; bad: number; digest: string }> {
  const [cpu, cuda] = ['cpu', 'cuda:0'].map((name) => ({ name, state: 'DEVICE_STATE_AVAILABLE' as const }));
  runtime = FakeRuntime.startIn(replica.watch(), 'rt-1', 'default', [cpu!, cuda!]);
  for (const [id, pool] of [
    ['rt-2', 'default'],
    ['gpu-1', 'gpu'],
    ['gpu-2', 'gpu'],
  ] as const) {
    members.push(FakeRuntime.startIn(replica.watch(), id, pool, [cuda!]));
  }
  router = FakeRouter.start(replica.watch(), 'router-1');
  members.push(runtime, router);
  for (let version = 1; version <= versions; version += 1) {
    expect(await pushFor(model, device)).toBe(version);
    const { move } = await ann.moveAlias({ model, alias: 'champion', version });
    await followMove(ann, move!.id);
  }
  const [good, bad] = [1, versions];
  const { version } = await ann.getVersion({ model, version: String(bad) });
  return { good, bad, digest: version!.digest };
}

const struck = (model: string, version: number, digest: string) => {
  const watch = replica.watch();
  return (strikeId: string, runtimeId = 'rt-1', kind: StrikeKind | 'other' = 'crashed', pool = 'default') =>
    watch.reportStrike({ strikeId, runtimeId, pool, model, version, digest, kind, at: { seconds: 1_000, nanos: 0 } });
};
const quarantines = async () => (await ann.listLeases({})).quarantined;
const actions = async (object: string) => {
  const client = new pg.Client({ connectionString: site.ownerUrl });
  await client.connect();
  const { rows } = await client.query<{ action: string; actor: string }>(
    'select action, actor from registry.audit_entry where object = $1 order by leaf_index desc limit 3',
    [object],
  );
  await client.end();
  return rows;
};

describe('a version that ends runtimes', () => {
  it('is quarantined by its third strike, once, and every watcher is told; its aliases stay', async () => {
    const { good, bad, digest } = await placed('third', 2);
    await eventually(() => expect(runtime.assigned.has(`third:${bad}`)).toBe(true));
    const strike = struck('third', bad, digest);
    expect(await strike('s1')).toEqual({ quarantined: false, strikes: 1 });
    // A report whose answer was lost comes again.
    expect(await strike('s1')).toEqual({ quarantined: false, strikes: 1 });
    expect(await strike('s2', 'rt-2', 'hung')).toEqual({ quarantined: false, strikes: 2 });
    expect(runtime.assigned.has(`third:${bad}`)).toBe(true);
    expect(await strike('s3', 'rt-1', 'crashed-loading')).toEqual({ quarantined: true, strikes: 3 });
    expect(await strike('s3', 'rt-1', 'crashed-loading')).toEqual({ quarantined: true, strikes: 3 });
    await eventually(() => expect(runtime.assigned.has(`third:${bad}`)).toBe(false));
    expect(runtime.assigned.has(`third:${good}`)).toBe(true);
    await eventually(() => expect(router.models.get('third')!.unplaced).toEqual([String(bad)]));
    const route = router.models.get('third')!;
    expect(router.aliases('third')).toEqual({ champion: bad });
    expect(router.primary('third')).toBe(bad);
    const reason = 'it ended its runtime 3 times: crashed rt-1, hung rt-2, crashed while it was loaded by rt-1';
    expect(route.quarantined).toMatchObject([{ version: String(bad), pool: 'default', reason, actor: 'runtime:rt-1' }]);
    expect(route.unplaced).toEqual([String(bad)]);
    expect(await quarantines()).toMatchObject([{ model: 'third', version: String(bad), reason }]);
    const { version } = await ann.getVersion({ model: 'third', version: String(bad) });
    expect(version!.quarantines).toMatchObject([{ reason }]);
    expect((await actions(`model/third/version/${bad}`)).map(({ action }) => action)).toEqual([
      'version.quarantined',
      'version.approved',
      'version.admitted',
    ]);
    expect((await actions(`model/third/version/${bad}`))[0]!.actor).toBe('runtime:rt-1');
    const metrics = await replica.metrics();
    expect(metrics).toMatch(/sluice_registry_strikes_total\{.*kind="crashed-loading".*\} 1\n/);
    expect(metrics).toMatch(/sluice_registry_quarantined_versions(\{.*\})? 1\n/);
  });

  it('is told to runtimes although nothing holds it: requests may have brought it', async () => {
    await placed('unheld');
    const other = await pushFor('unheld', '');
    const { version } = await ann.getVersion({ model: 'unheld', version: String(other) });
    const strike = struck('unheld', other, version!.digest);
    for (const id of ['u1', 'u2', 'u3']) await strike(id);
    await eventually(() => expect(runtime.quarantined.at(-1)).toEqual([`unheld:${other}`]));
    expect(runtime.assigned.has('unheld:1')).toBe(true);
    // Who watches anew hears of it too, with all others.
    const late = FakeRuntime.start(replica.watch(), 'rt-3');
    members.push(late);
    await eventually(() => expect(late.quarantined[0]).toContain(`unheld:${other}`));
    await ann.liftQuarantine({ model: 'unheld', version: other });
    await eventually(() => expect(runtime.quarantined.at(-1)).toEqual([]));
  });

  it('gets no alias and no pin, and its moves are given up, until it is lifted; then it has no strikes', async () => {
    const { good, bad, digest } = await placed('lifted', 2);
    const strike = struck('lifted', bad, digest);
    runtime.verdict = () => 'loading';
    await strike('l1');
    await strike('l2');
    const { move } = await ann.moveAlias({ model: 'lifted', alias: 'next', version: bad });
    await strike('l3');
    expect((await followMove(ann, move!.id)).last.move).toMatchObject({
      state: 'ALIAS_MOVE_STATE_WITHDRAWN',
      reasons: [expect.stringMatching(/was quarantined: it ended its runtime 3 times/) as string],
    });
    const refused = { kind: 'failed-precondition', message: /is quarantined: .*`sluice quarantine lift lifted 2`/ };
    const refusal = async (call: Promise<unknown>) =>
      expect(await call.catch((error: unknown) => error)).toMatchObject({
        kind: refused.kind,
        message: expect.stringMatching(refused.message) as string,
      });
    await refusal(ann.moveAlias({ model: 'lifted', alias: 'next', version: bad }));
    await refusal(ann.pinVersion({ model: 'lifted', version: bad }));
    // It points there already, and nobody answers.
    await refusal(ann.moveAlias({ model: 'lifted', alias: 'champion', version: bad }));
    runtime.verdict = () => 'ready';
    const back = await ann.moveAlias({ model: 'lifted', alias: 'champion', version: good });
    await followMove(ann, back.move!.id);
    await refusal(ann.moveAlias({ model: 'lifted', alias: 'champion', version: bad }));

    await ann.pinVersion({ model: 'lifted', version: good });
    const { revision } = await ann.liftQuarantine({ model: 'lifted', version: bad });
    expect(Number(revision)).toBeGreaterThan(0);
    expect((await actions(`model/lifted/version/${bad}`))[0]).toEqual({
      action: 'version.quarantine.lifted',
      actor: 'ann',
    });
    // Champion left it a moment ago: it is placed again.
    await eventually(() => expect(runtime.assigned.has(`lifted:${bad}`)).toBe(true));
    await eventually(() => expect(router.models.get('lifted')!.quarantined).toEqual([]));
    expect(await ann.liftQuarantine({ model: 'lifted', version: bad })).toEqual({ revision });
    expect(await strike('l4')).toEqual({ quarantined: false, strikes: 1 });
  });

  it('keeps its strikes by pool, forgets them after a day, and has none of other bytes', async () => {
    const { bad, digest } = await placed('counted', 1, 'cuda');
    const strike = struck('counted', bad, digest);
    expect(await strike('c1')).toEqual({ quarantined: false, strikes: 1 });
    expect(await strike('c2')).toEqual({ quarantined: false, strikes: 2 });
    expect(await strike('c3', 'gpu-1', 'crashed', 'gpu')).toEqual({ quarantined: false, strikes: 1 });
    const client = new pg.Client({ connectionString: site.ownerUrl });
    await client.connect();
    await client.query(`update registry.strike set received_at = received_at - interval '24 hours' where id = 'c1'`);
    // As many as a year of lifted quarantines would leave.
    await client.query(
      `insert into registry.strike select 'old' || n, runtime_id, pool, model, version, kind, struck_at, received_at, 0
       from registry.strike, generate_series(1, 200) n where id = 'c1'`,
    );
    expect(await strike('c4')).toEqual({ quarantined: false, strikes: 2 });
    const { rows } = await client.query<{ kept: string }>(
      `select count(*) as kept from registry.strike where model = 'counted' and pool = 'default'`,
    );
    expect(rows).toEqual([{ kept: '100' }]);
    await client.end();
    const fails = async (call: Promise<unknown>) => ((await call.catch((error: unknown) => error)) as Error).message;
    expect(await fails(struck('counted', bad, 'f00')('c5'))).toMatch(/digest: f00 given; counted version 1 has/);
    expect(await fails(struck('counted', 9, digest)('c5'))).toMatch(/counted has no version 9/);
    expect(await fails(strike('c 5'))).toMatch(/strike_id: "c 5" given; expected 1 to 128/);
    expect(await fails(strike('c5', 'rt-1', 'other'))).toMatch(/kind: "other" given; expected one of crashed, hung/);
    await strike('c6', 'gpu-1', 'hung', 'gpu');
    expect(await strike('c7', 'gpu-2', 'hung', 'gpu')).toEqual({ quarantined: true, strikes: 3 });
    // Nothing more is kept of it, in no pool.
    expect(await strike('c8', 'gpu-1', 'hung', 'gpu')).toEqual({ quarantined: true, strikes: 3 });
    expect(await strike('c9')).toEqual({ quarantined: true, strikes: 2 });
    // What ends the runtimes of one pool is loaded in none.
    await eventually(() => expect(runtime.assigned.has(`counted:${bad}`)).toBe(false));
    const refused = ann.moveAlias({ model: 'counted', alias: 'next', version: bad });
    await expect(refused).rejects.toMatchObject({ kind: 'failed-precondition' });
    expect((await quarantines()).map(({ model, pool }) => `${model} ${pool}`)).toContain('counted gpu');
    const { revision } = await ann.liftQuarantine({ model: 'counted', version: bad, pool: 'default' });
    expect((await ann.liftQuarantine({ model: 'counted', version: bad, pool: 'other' })).revision).toBe(revision);
    expect((await quarantines()).map(({ model }) => model)).toContain('counted');
    await ann.liftQuarantine({ model: 'counted', version: bad });
    expect((await quarantines()).map(({ model }) => model)).not.toContain('counted');
    await eventually(() => expect(runtime.assigned.has(`counted:${bad}`)).toBe(true));
  });

  it('is struck by runtimes that are known, of pools that it is for, while it may be loaded', async () => {
    const { bad, digest } = await placed('trusted', 2);
    const strike = struck('trusted', bad, digest);
    const refusal = async (call: Promise<unknown>) => {
      const error = (await call.catch((thrown: unknown) => thrown)) as { kind: string; message: string };
      return `${error.kind}: ${error.message}`;
    };
    for (const [id, pool] of [
      ['made-up', 'default'],
      ['gpu-1', 'default'],
    ] as const) {
      expect(await refusal(strike('t1', id, 'crashed', pool))).toMatch(
        /^unavailable: runtime_id: no runtime .* has a lease in pool default/,
      );
    }
    expect(await refusal(strike('t1', 'gpu-1', 'crashed', 'gpu'))).toBe(
      'failed-precondition: pool: trusted version 2 is for pool default, not for pool gpu',
    );
    // One that fell silent tells it when it is back, an hour later at most.
    const watch = replica.watch();
    const silent = { runtimeId: 'rt-silent', pool: 'default', address: '127.0.0.1:1', ttlMs: 1_000 };
    await watch.renewRuntimeLease(silent);
    const age = async (interval: string) => {
      const client = new pg.Client({ connectionString: site.ownerUrl });
      await client.connect();
      const set =
        'update registry.runtime_lease set renewed_at = clock_timestamp() - $1::interval where runtime_id = $2';
      await client.query(set, [interval, 'rt-silent']);
      await client.end();
    };
    await age('59 minutes');
    expect(await strike('t1', 'rt-silent')).toEqual({ quarantined: false, strikes: 1 });
    await age('61 minutes');
    expect(await refusal(strike('t2', 'rt-silent'))).toMatch(/^unavailable: /);
    await watch.releaseLease({ holderId: 'rt-silent' });
    const { version: third } = await push(ann, 'trusted', await linearModel());
    await ann.deleteVersion({ model: 'trusted', version: third.number });
    expect(await refusal(struck('trusted', Number(third.number), third.digest)('t3'))).toMatch(
      /^not-found: version: trusted version 3 was deleted/,
    );
    const { version: rejected } = await push(ann, 'trusted', await wrongModel(third.signature!));
    expect(await refusal(struck('trusted', 4, rejected.digest)('t3'))).toBe(
      'failed-precondition: version: trusted version 4 is rejected; no runtime loads it',
    );
  });

  it('is quarantined once when the third strike reaches two replicas at the same time', async () => {
    const other = await site.start();
    const { bad, digest } = await placed('raced');
    const strike = struck('raced', bad, digest);
    await strike('r1');
    await strike('r2');
    const at = { seconds: 1_000, nanos: 0 };
    const report = { runtimeId: 'rt-2', pool: 'default', model: 'raced', version: bad, digest, kind: 'hung', at };
    const answers = await Promise.all([
      strike('r3'),
      other.watch().reportStrike({ ...report, strikeId: 'r4' }),
      other.watch().reportStrike({ ...report, strikeId: 'r5' }),
    ]);
    expect(answers.every(({ quarantined }) => quarantined)).toBe(true);
    const quarantined = (await actions(`model/raced/version/${bad}`)).filter(
      ({ action }) => action === 'version.quarantined',
    );
    expect(quarantined).toHaveLength(1);
    await other.stop();
  });
});
