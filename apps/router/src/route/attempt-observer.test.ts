import { describe, expect, it } from 'vitest';
import { attemptWorld } from '../../test/attempt-world.ts';
import type { Told } from '../../test/attempt-world.ts';
import { settle } from '../../test/doubles.ts';
import { modelRoute } from '../../test/routes.ts';
import type { ModelFacts } from '../../test/routes.ts';
import { inferBytes } from '../../test/world.ts';

/** Two weighted arms, a shadow, and a rule. */
const facts: ModelFacts = {
  release: {
    arms: { primary: [3, 'PRIMARY', 0.5], candidate: [4, 'CANDIDATE', 0.5], s: [5, 'SHADOW', 1] },
    rules: [['lab', 'sluice-caller', 'lab', 'candidate']],
  },
  placed: [3, 4, 5],
};
const model = modelRoute(facts);
const everywhere = { r1: [3, 4, 5], r2: [3, 4, 5] };
/** Units by whose they are with this seed. */
const [ofPrimary, ofCandidate] = ['user-2', 'user-1'];
const lab = { 'sluice-caller': 'lab' };

/** An attempt in one line: number, assigned arm, served arm, version, why, runtime, times, how it ended. */
function line(told: Told): string {
  const { attempt, assigned, served, version, reason, rule, runtimeId, error, answered, answer, fallback } = told;
  const why = `${reason}${rule && ` ${rule}`}`;
  const how = error?.kind ?? String(answer);
  const times = [told.sentMs, told.endedMs].map((ms) => ms - told.receivedMs).join('-');
  return [
    `${attempt} ${assigned?.name ?? '-'}>${served?.name ?? '-'}@${version.text} (${why}) ${runtimeId || 'nowhere'} ${times}:`,
    ...[how, answered ? 'answered' : '', fallback ? `for ${fallback.kind}` : ''].filter((word) => word !== ''),
  ].join(' ');
}

describe('the observer of attempts', () => {
  it('is told of each attempt of two weighted arms, with a retry, a fallback and a shadow', async () => {
    const world = await attemptWorld(model, everywhere);
    const { arrived, told, clock, turn } = world;
    const metadata = { 'sluice-subject': 'ann', 'sluice-caller': 'shop', traceparent: '00-ab-cd-01' };
    const units = [ofPrimary, ofCandidate].map((unit) => ({ ...metadata, 'sluice-unit': unit }));
    const first = world.ask(units[0]);
    clock.advance(2);
    arrived[0]!.answer('first');
    expect(first.answers).toEqual(['first']);
    turn();
    clock.advance(3);
    arrived[1]!.answer('shadow of first');

    const second = world.ask(units[1]);
    clock.advance(1);
    arrived[2]!.fail('lost');
    clock.advance(10);
    arrived[3]!.fail('answered', 'internal');
    clock.advance(100);
    expect([second.answers, told.length]).toEqual([[], 4]);
    arrived[4]!.answer('by the primary');
    turn();
    expect(second.answers).toEqual(['by the primary']);
    clock.advance(1);
    arrived[5]!.fail('answered', 'model-failed');

    expect(told.map(line)).toEqual([
      '1 primary>primary@3 (unit) r1 0-2: first answered',
      '1 s>s@5 (shadow) r1 2-5: shadow of first',
      '1 candidate>candidate@4 (unit) r1 0-1: unavailable',
      '2 candidate>candidate@4 (unit) r2 1-11: internal',
      '3 candidate>primary@3 (unit) r1 11-111: by the primary answered for internal',
      '1 s>s@5 (shadow) r1 111-112: model-failed',
    ]);
    expect(arrived.map(({ version }) => version)).toEqual(['3', '5', '4', '4', '3', '5']);
    for (const [index, each] of told.entries()) {
      const asked = index < 2 ? first : second;
      expect(each.predictionId).toBe(asked.predictionId);
      expect(each.said).toMatchObject({ subject: 'ann', caller: 'shop', unit: index < 2 ? ofPrimary : ofCandidate });
      expect([each.requestId, each.traceparent]).toEqual(['mine', '00-ab-cd-01']);
      expect(Buffer.from(each.message)).toEqual(inferBytes({ id: 'mine' }));
      expect(each.outcome?.trailer('from')).toBe(each.runtimeId);
      expect(each.assigned?.release).toMatchObject({ id: 'digits@1', seedId: 'digits/1', policyVersion: 0 });
      expect(each.assigned?.versionDigest).toBe(`d${each.assigned?.version}`);
    }
    expect(world.counted).toEqual([
      'digits@3 primary ok 2',
      'shadow digits@5 s ok',
      'fallback digits@4 candidate internal',
      'digits@3 - ok 111',
      'shadow digits@5 s model-failed',
    ]);
  });

  it('is told why an arm was chosen: by rule, by force, at random, by name', async () => {
    const world = await attemptWorld(model, everywhere, { draws: [0.6] });
    world.ask(lab);
    world.ask({ ...lab, 'sluice-arm': 'primary' });
    world.ask();
    world.ask({}, inferBytes({ version: '4' }));
    for (const each of world.arrived) each.answer('yes');
    expect(world.told.map(line).map((text) => text.replace(/r\d 0-0: /, ''))).toEqual([
      '1 candidate>candidate@4 (rule lab) yes answered',
      '1 primary>primary@3 (forced) yes answered',
      '1 candidate>candidate@4 (weight) yes answered',
      '1 ->-@4 (named) yes answered',
    ]);
    // What named its version is no arm's, and is not mirrored.
    expect([world.shadows.waiting, world.counted.at(-1)]).toEqual([3, 'digits@4 - ok 0']);
  });

  it('is told of an arm that nothing could be sent to: not loaded, in quarantine, its breaker open', async () => {
    const notLoaded = await attemptWorld(model, { r1: [3] });
    notLoaded.ask(lab);
    notLoaded.arrived[0]!.answer();
    expect(notLoaded.told.map(line)).toEqual([
      '1 candidate>candidate@4 (rule lab) nowhere 0-0: unavailable',
      '2 candidate>primary@3 (rule lab) r1 0-0: by r1 answered for unavailable',
    ]);
    const held = modelRoute({ ...facts, placed: [3, 5], unplaced: [4], quarantined: { 4: 'it ended runtimes' } });
    const quarantined = await attemptWorld(held, everywhere);
    quarantined.ask(lab);
    quarantined.arrived[0]!.answer();
    expect(quarantined.told.map(line)).toEqual([
      '1 candidate>candidate@4 (rule lab) nowhere 0-0: failed-precondition',
      '2 candidate>primary@3 (rule lab) r1 0-0: by r1 answered for failed-precondition',
    ]);
    const broken = await attemptWorld(model, { r1: [3, 4] });
    for (let count = 0; count < 10; count++) {
      broken.ask({ 'sluice-arm': 'candidate' });
      broken.arrived.at(-1)!.fail('answered', 'internal');
    }
    await settle();
    const spent = broken.budget.tokens;
    broken.told.length = 0;
    const asked = broken.ask(lab);
    broken.arrived.at(-1)!.answer();
    expect(asked.answers).toEqual(['by r1']);
    expect(broken.told.map(line)[0]).toBe('1 candidate>candidate@4 (rule lab) nowhere 0-0: unavailable');
    expect(broken.budget.tokens).toBeGreaterThanOrEqual(spent);
  });

  it('is told of a primary that fails in its place, which is the end, and of a retry that went nowhere', async () => {
    const world = await attemptWorld(model, everywhere);
    const asked = world.ask(lab);
    world.arrived[0]!.fail('answered', 'internal');
    world.arrived[1]!.fail('answered', 'model-failed');
    expect([asked.answers, world.arrived.length]).toEqual([['model-failed'], 2]);
    expect(world.told.map(line)).toEqual([
      '1 candidate>candidate@4 (rule lab) r1 0-0: internal',
      '2 candidate>primary@3 (rule lab) r1 0-0: model-failed answered for internal',
    ]);
    expect(world.counted).toEqual(['fallback digits@4 candidate internal', 'digits@3 - model-failed 0']);

    // The other runtime's breaker is open.
    const link = world.fleet.links.find(({ address }) => address === 'r2')!;
    for (let count = 0; count < 10; count++) world.live.of(link, 'digits@4').begin()!.fail(new Error('it failed'));
    await settle();
    world.told.length = 0;
    world.ask({ 'sluice-arm': 'candidate' });
    world.arrived.at(-1)!.fail('answered', 'unavailable');
    expect(world.told.map(line)).toEqual([
      '1 candidate>candidate@4 (forced) r1 0-0: unavailable',
      '2 candidate>candidate@4 (forced) nowhere 0-0: unavailable answered',
    ]);
  });

  it('is told of a primary and a forced arm that fail, which nobody answers for', async () => {
    const world = await attemptWorld(model, everywhere);
    const asked = [world.ask({ 'sluice-unit': ofPrimary }), world.ask({ 'sluice-arm': 'candidate' })];
    for (const each of [...world.arrived]) each.fail('answered', 'model-failed');
    expect([asked.map(({ answers }) => answers), world.arrived.length]).toEqual([
      [['model-failed'], ['model-failed']],
      2,
    ]);
    expect(world.told.map(line)).toEqual([
      '1 primary>primary@3 (unit) r1 0-0: model-failed answered',
      '1 candidate>candidate@4 (forced) r2 0-0: model-failed answered',
    ]);
    // What failed is not mirrored.
    expect(world.shadows.waiting).toBe(0);
    const held = modelRoute({ ...facts, placed: [4, 5], unplaced: [3], quarantined: { 3: 'it ended runtimes' } });
    const both = await attemptWorld(held, everywhere);
    expect(both.ask({ 'sluice-unit': ofPrimary }).answers).toEqual(['failed-precondition']);
    // Nor is a primary asked that is in quarantine itself.
    const candidate = both.ask({ 'sluice-unit': ofCandidate });
    both.arrived[0]!.fail('answered', 'internal');
    expect([candidate.answers, both.arrived.length]).toEqual([['internal'], 1]);
    expect(both.inFlight.requests).toBe(0);
  });

  it('is told of a caller that goes away, once, wherever its request is', async () => {
    const world = await attemptWorld(model, everywhere);
    const asked = world.ask(lab);
    world.arrived[0]!.fail('answered', 'internal');
    world.clock.advance(4);
    asked.cancel('cancelled');
    asked.cancel('cancelled');
    expect(world.arrived[1]!.isCancelled).toBe(true);
    world.arrived[1]!.fail('local', 'cancelled');
    expect(world.told.map(line)).toEqual([
      '1 candidate>candidate@4 (rule lab) r1 0-0: internal',
      '2 candidate>primary@3 (rule lab) r1 0-4: cancelled for internal',
    ]);
    expect([asked.answers, world.inFlight.requests, world.shadows.waiting]).toEqual([[], 0, 0]);
  });

  it('is told nothing of what was refused before it was let in', async () => {
    const world = await attemptWorld(model, everywhere);
    expect(world.ask({ 'sluice-arm': 'gone' }).answers).toEqual(['invalid-argument']);
    expect(world.ask({}, inferBytes({ model: 'unknown' })).answers).toEqual(['not-found']);
    expect([world.told, world.inFlight.requests]).toEqual([[], 0]);
  });

  it('is told of the requests of a sequence, which go where it began, have no fallback, and are not mirrored', async () => {
    const world = await attemptWorld(modelRoute({ ...facts, sequences: true }), everywhere, { draws: [0.6] });
    const step = (id: string, more: object = {}) =>
      world.ask({ 'sluice-unit': ofCandidate }, inferBytes({ id, parameters: { ...sequence, ...more } }));
    const sequence = { sequence_id: { kind: 'int64', value: 7n } } as const;
    const start = step('one', { sequence_start: { kind: 'bool', value: true } });
    const next = step('two');
    world.clock.advance(3);
    world.arrived[0]!.answer('one');
    world.arrived[1]!.fail('answered', 'internal');
    expect([start.answers, next.answers, world.arrived.length]).toEqual([['one'], ['internal'], 2]);
    const { runtime } = world.arrived[0]!;
    expect(world.told.map(line)).toEqual([
      `1 candidate>candidate@4 (unit) ${runtime} 0-3: one answered`,
      `1 candidate>candidate@4 (sequence) ${runtime} 0-3: internal answered`,
    ]);
    expect(world.told.map(({ requestId }) => requestId)).toEqual(['one', 'two']);
    expect(world.shadows.waiting).toBe(0);
    // One that nobody knows has no version to tell of.
    const lost = world.ask({}, inferBytes({ parameters: { sequence_id: { kind: 'int64', value: 8n } } }));
    await settle();
    expect([lost.answers, world.told.length]).toEqual([['failed-precondition'], 2]);
  });

  it('costs no look at the clock when there is none', async () => {
    const reads = async (observed: boolean): Promise<number> => {
      const world = await attemptWorld(modelRoute({ release: 3, placed: [3] }), { r1: [3] }, { observed });
      let count = 0;
      const monotonic = world.clock.monotonic.bind(world.clock);
      world.clock.monotonic = () => {
        count++;
        return monotonic();
      };
      world.ask();
      world.arrived[0]!.answer();
      return count;
    };
    const without = await reads(false);
    expect(await reads(true)).toBe(without + 1);
  });
});

describe('copies for shadows', () => {
  it('spend nothing of the retry budget, and neither open nor close a breaker of live requests', async () => {
    const world = await attemptWorld(model, { r1: [3, 5] });
    const { live, ofShadows, arrived, fleet } = world;
    const [link] = fleet.links;
    const primary = { 'sluice-arm': 'primary' };
    for (let count = 0; count < 12; count++) {
      world.ask(primary);
      arrived.at(-1)!.answer();
      const tokens = world.budget.tokens;
      world.turn();
      arrived.at(-1)!.fail('lost');
      expect(world.budget.tokens).toBe(tokens);
    }
    await settle();
    expect([live.of(link!, 'digits@5').state, ofShadows.of(link!, 'digits@5').state]).toEqual(['closed', 'open']);
    // Named, it is a live request.
    const named = world.ask({}, inferBytes({ version: '5' }));
    arrived.at(-1)!.answer('fine');
    expect(named.answers).toEqual(['fine']);
    expect(ofShadows.of(link!, 'digits@5').state).toBe('open');
    world.ask(primary);
    arrived.at(-1)!.answer();
    world.turn();
    expect(arrived.at(-1)!.version).toBe('3');
    expect(world.told.at(-1)).toMatchObject({ reason: 'shadow', runtimeId: '', error: { kind: 'unavailable' } });
  });

  it('do not leave before the answer, nor in its turn', async () => {
    const world = await attemptWorld(model, everywhere);
    const asked = world.ask({ 'sluice-arm': 'primary' });
    world.turn();
    expect(world.arrived).toHaveLength(1);
    world.arrived[0]!.answer();
    expect([asked.answers.length, world.arrived.length]).toEqual([1, 1]);
    world.turn();
    expect(world.arrived.map(({ version }) => version)).toEqual(['3', '5']);
    expect(world.arrived[1]!.options.deadlineMs).toBe(world.clock.now() + 5_000);
  });
});
