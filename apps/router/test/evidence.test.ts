import { readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { evidenceSettings } from './evidence-settings.ts';
import { testFeedback } from './feedback.ts';
import { wireModel, wireRelease, wireRoutes } from './routes.ts';
import { testRegistry, testRouter, testRuntime, whenUp } from './world.ts';
import type { InferOptions } from './world.ts';

const loaded = [['digits', 3, true]] as const;

async function setUp(durability: 'DURABLE' | 'BEST_EFFORT', more: Readonly<Record<string, string>> = {}) {
  const runtime = await testRuntime({ id: 'r1', loaded });
  const model = wireModel({ release: 3, placed: [3] });
  const capture = { ...model.release!.capture!, payload: true, durability: `DURABILITY_${durability}` as const };
  const digits = { ...model, release: { ...model.release!, capture } };
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
  const { settings, feedbackPort, stateDir } = await evidenceSettings();
  const start = async (other: Readonly<Record<string, string>> = {}) => {
    const router = await testRouter({ SLUICE_REGISTRY: registry.address, ...settings, ...more, ...other });
    await whenUp(router, 1);
    return router;
  };
  return { runtime, feedbackPort, stateDir, start, router: await start() };
}

describe('evidence of a router', () => {
  it('waits on disk, encrypted, while feedback is away, also over a restart, and goes to it once', async () => {
    const { router, start, feedbackPort, stateDir } = await setUp('DURABLE');
    const metadata = { 'sluice-subject': 'ann-the-subject', 'sluice-caller': 'shop' };
    const asked = [await router.infer({ metadata, id: 'first' }), await router.infer({ metadata })];
    expect(asked.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
    const spool = join(stateDir, 'spool');
    for (const file of await readdir(spool, { recursive: true })) {
      const bytes = await readFile(join(spool, file)).catch(() => Buffer.alloc(0));
      expect([file, bytes.includes('ann-the-subject')]).toEqual([file, false]);
    }
    await router.stop();

    const again = await start();
    const feedback = await testFeedback(feedbackPort);
    const third = await again.infer({ metadata });
    await eventually(() => expect(feedback.received).toHaveLength(3));
    const ids = [...asked, third].map(({ predictionId }) => predictionId);
    expect(feedback.received.map(({ predictionId }) => predictionId)).toEqual(ids);
    expect(feedback.received[0]).toMatchObject({
      ...{ requestId: 'first', subject: 'ann-the-subject', caller: 'shop', answered: true, runtime: 'r1', status: 0 },
      ...{
        requestState: 'captured',
        responseState: 'captured',
        context: { model: 'digits', version: 3, arm: 'primary' },
      },
    });
    expect(feedback.hellos).toHaveLength(1);
    const { evidence } = (await again.state()) as unknown as { evidence: { spool: { acknowledged: number } } };
    expect(evidence.spool.acknowledged).toBeGreaterThan(0);
    // The next life sends what is not acknowledged, and nothing of before.
    await again.stop();
    const last = await start();
    const fourth = await last.infer({ metadata });
    await eventually(() => expect(feedback.received).toHaveLength(4));
    expect(feedback.received[3]!.predictionId).toBe(fourth.predictionId);
  });

  it.each([
    ['together to one that takes that', 2, [4]],
    ['one by one to one of the version before', 1, ['alone', 'alone', 'alone', 'alone']],
  ])('that waited goes to feedback %s', async (_, version, messages) => {
    const { router, feedbackPort } = await setUp('DURABLE');
    const ids: (string | undefined)[] = [];
    for (let each = 0; each < 4; each++) ids.push((await router.infer()).predictionId);
    const feedback = await testFeedback(feedbackPort, version);
    await eventually(() => expect(feedback.received.map(({ predictionId }) => predictionId)).toEqual(ids));
    expect(feedback.messages).toEqual(messages);
  });

  it('is sent again by the next life of a router when feedback did not say that it has it', async () => {
    const { router, start, feedbackPort } = await setUp('BEST_EFFORT');
    const feedback = await testFeedback(feedbackPort);
    feedback.forget();
    const { predictionId } = await router.infer();
    await eventually(() => expect(feedback.received).toHaveLength(1));
    await router.stop();
    await start();
    await eventually(() => expect(feedback.received).toHaveLength(2));
    expect(new Set(feedback.received.map((record) => record.predictionId))).toEqual(new Set([predictionId]));
    // It is the same spool.
    expect(new Set(feedback.hellos).size).toBe(1);
  });

  it('is sent after its key was replaced, where the former one is still given', async () => {
    const { router, start, feedbackPort, stateDir } = await setUp('BEST_EFFORT');
    const { predictionId } = await router.infer();
    await router.stop();
    const [key, former] = [join(stateDir, 'evidence.key'), join(stateDir, 'former.key')];
    await rename(key, former);
    await writeFile(key, 'cd'.repeat(32), { mode: 0o600 });
    const feedback = await testFeedback(feedbackPort);
    await start({ SLUICE_FORMER_EVIDENCE_KEY_FILES: `${former}, ${key}` });
    await eventually(() => expect(feedback.received.map((record) => record.predictionId)).toEqual([predictionId]));
  });

  it('of a best-effort model is on disk when the router has stopped, though nobody waited for it', async () => {
    const { router, start, feedbackPort } = await setUp('BEST_EFFORT');
    const { predictionId } = await router.infer();
    await router.stop();
    const feedback = await testFeedback(feedbackPort);
    await start();
    await eventually(() => expect(feedback.received.map((record) => record.predictionId)).toEqual([predictionId]));
  });
});

describe('evidence of a model without a release', () => {
  it('is kept as the model says, without a restart, of requests by alias and by number', async () => {
    const runtime = await testRuntime({ id: 'r1', loaded });
    const policy = { ...wireRelease('digits', 3).capture!, durability: 'DURABILITY_DURABLE' as const };
    const routes = (revision: number, rate: number) => {
      const digits = wireModel({ revision, aliases: { mlp: 3 }, placed: [3], capture: { ...policy, rate } });
      return wireRoutes(revision, [digits], { addresses: [runtime.address] });
    };
    const registry = await testRegistry(routes(7, 1));
    const { settings, feedbackPort } = await evidenceSettings();
    const router = await testRouter({ SLUICE_REGISTRY: registry.address, ...settings });
    await whenUp(router, 1);
    const kept = [await router.infer({ version: 'mlp' }), await router.infer({ version: '3' })];
    registry.publish({ ...routes(8, 0), snapshot: false }, routes(8, 0));
    await eventually(async () => expect((await router.state()).revision).toBe(8));
    const leftOut = [await router.infer({ version: 'mlp' }), await router.infer({ version: '3' })];
    expect([...kept, ...leftOut].map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok', 'ok']);
    registry.publish({ ...routes(9, 1), snapshot: false }, routes(9, 1));
    await eventually(async () => expect((await router.state()).revision).toBe(9));
    kept.push(await router.infer({ version: '3' }));
    const feedback = await testFeedback(feedbackPort);
    await eventually(() =>
      expect(feedback.received.map(({ predictionId }) => predictionId)).toEqual(
        kept.map(({ predictionId }) => predictionId),
      ),
    );
  });
});

describe('evidence of a release of several arms', () => {
  it('says of each request why it went to its arm: forced, by a rule, by its unit, by weight, or past the release', async () => {
    const versions = [3, 4];
    const runtime = await testRuntime({ id: 'r1', loaded: versions.map((version) => ['digits', version, true]) });
    const digits = wireModel({
      placed: versions,
      release: {
        arms: { primary: [3, 'PRIMARY', 0.7], candidate: [4, 'CANDIDATE', 0.3] },
        rules: [['lab', 'tenant', 'lab', 'primary']],
      },
    });
    const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
    const { settings, feedbackPort } = await evidenceSettings();
    const router = await testRouter({ SLUICE_REGISTRY: registry.address, ...settings });
    await whenUp(router, 1);
    // By its unit it is the candidate's.
    const unit = { 'sluice-unit': 'user-1' };
    const asked: readonly [options: InferOptions, why: string][] = [
      [{ metadata: { ...unit, 'sluice-arm': 'primary' } }, 'forced - primary 3'],
      [{ metadata: { 'sluice-arm': 'candidate', tenant: 'lab' } }, 'forced - candidate 4'],
      [{ metadata: { ...unit, tenant: 'lab' } }, 'rule lab primary 3'],
      [{ metadata: unit }, 'unit - candidate 4'],
      [{ version: '4' }, 'named - - 4'],
      [{}, 'weight - '],
    ];
    for (const [options] of asked) expect((await router.infer(options)).outcome).toBe('ok');
    const feedback = await testFeedback(feedbackPort);
    await eventually(() => expect(feedback.received).toHaveLength(asked.length));
    const told = feedback.received.map(({ reason, rule, context: { arm, version } }) =>
      [reason, rule || '-', arm || '-', version].join(' '),
    );
    // Which arm that is by weight is left to chance.
    expect(told.map((each) => each.replace(/^weight - .*/, 'weight - '))).toEqual(asked.map(([, why]) => why));
  });
});

describe('an order to erase', () => {
  it('is followed when what lay in the spool is acknowledged and its keys are gone, and told again to the next stream', async () => {
    const { router, start, feedbackPort, stateDir } = await setUp('DURABLE');
    const spool = join(stateDir, 'spool');
    await router.infer();
    const before = (await readdir(spool)).filter((name) => name.endsWith('.key')).toSorted();
    const feedback = await testFeedback(feedbackPort);
    feedback.forget();
    feedback.erase(7);
    await eventually(() => expect(feedback.received).toHaveLength(1));
    const followed = async () =>
      ((await router.state()) as unknown as { evidence: unknown }).evidence as {
        erasures: { told: number; followed: number };
      };
    await eventually(async () => expect((await followed()).erasures).toEqual({ told: 7, followed: 0 }));
    expect(feedback.followed).toEqual([]);
    expect(await readdir(spool)).toEqual(expect.arrayContaining(before.slice(0, 1)));
    feedback.remember();
    await router.infer();
    await eventually(() => expect(feedback.followed).toEqual([7]));
    expect(await readdir(spool)).not.toContain(before[0]);
    // What a life of the router had followed it follows anew.
    await router.stop();
    await start();
    await eventually(() => expect(feedback.followed).toEqual([7, 7]));
    expect(new Set(feedback.hellos).size).toBe(1);
  });
});

describe('a router that keeps no evidence', () => {
  it('says so, serves, and refuses what has to wait for evidence, with what to do', async () => {
    const { router, runtime } = await setUp('DURABLE', { SLUICE_FEEDBACK: '' });
    const refused = await router.infer();
    expect([refused.outcome, runtime.seen.requests]).toEqual(['failed-precondition', 0]);
    expect(refused.message).toContain('sluice model set digits --durability best-effort');
    expect(router.lines.map(({ msg }) => msg)).toContain('no evidence is kept: SLUICE_FEEDBACK names no feedback');
  });

  it('does not start without the key that evidence needs', async () => {
    await expect(setUp('DURABLE', { SLUICE_EVIDENCE_KEY_FILE: '' })).rejects.toThrow(
      'SLUICE_EVIDENCE_KEY_FILE is not set, and SLUICE_FEEDBACK is',
    );
  });
});
