import { describe, expect, it } from 'vitest';
import { sequenceWorld } from '../../../test/sequence-world.ts';
import type { FakeRuntime } from '../../../test/sequence-world.ts';

const start = { start: true };
const failed =
  'failed-precondition: sequence lost: the sequence_start of sequence 7 of digits failed; send sequence_start again';

/** No runtime has the version ready; they load it in the reverse order of the hash of sequence 7. */
function unloaded(count = 3) {
  const world = sequenceWorld(count);
  const order = world.runtimes.toReversed();
  world.state.ready = [];
  world.state.onDemand = order;
  return { ...world, order };
}

const textsOf = ({ texts }: FakeRuntime): string[] => texts.map((text) => text.trim());

describe('a start of a version that is ready nowhere', () => {
  it('goes to the first that loads it, whatever the sequence: one runtime loads it for all', () => {
    const { send, order } = unloaded();
    for (let id = 1n; id <= 12n; id++) send(String(id), { ...start, id });
    expect(order.map(({ sent }) => sent.length)).toEqual([12, 0, 0]);
  });

  it('goes by the hash of the sequence as soon as the version is ready somewhere', () => {
    const { send, order, state, runtimes } = unloaded();
    state.ready = runtimes;
    send('1', start);
    expect([order.at(-1)!.sent.length, order[0]!.sent.length]).toEqual([1, 0]);
  });

  it('says nothing of its runtime when it runs out of time while the version is loaded', () => {
    const { send, order } = unloaded(1);
    send('1', start).cancel('deadline-exceeded');
    order[0]!.fail('1', 'local', 'cancelled');
    send('2', start);
    order[0]!.fail('2', 'answered', 'deadline-exceeded');
    expect(order[0]!.verdicts).toEqual(['released', 'released']);
  });

  it('goes to the next in that order when it never left, or its runtime has no room; what comes behind it follows', () => {
    const { send, order, state } = unloaded();
    send('1', start);
    send('2');
    // Nothing is on its way behind it: it would not follow.
    expect(textsOf(order[0]!)).toEqual(['1']);
    order[0]!.fail('1', 'answered', 'resource-exhausted', 500);
    order[1]!.fail('1', 'unsent');
    expect(textsOf(order[2]!)).toEqual(['1']);
    order[2]!.answer('1');
    expect(textsOf(order[2]!)).toEqual(['1', '2']);
    order[2]!.answer('2');
    expect(state.ended).toEqual(['1', '2'].map((text) => `${text} from ${order[2]!.address}@3`));
    expect([state.failed, state.refused]).toEqual([['answered retried', 'unsent retried'], []]);
  });

  it('passes by all that cannot load it, without attempts and tokens', () => {
    const { send, order, state, budget } = unloaded(5);
    const before = budget.tokens;
    send('1', start);
    for (const runtime of order.slice(0, 4)) runtime.fail('1', 'answered', 'not-found');
    order[4]!.answer('1');
    expect(state.ended).toEqual([`1 from ${order[4]!.address}@3`]);
    expect(state.refused).toEqual(order.slice(0, 4).map(({ address }) => address));
    expect(budget.tokens).toBeGreaterThanOrEqual(before);
  });

  it('fails where nobody loads it, and so does what comes behind it', () => {
    const { send, order, state, searches } = unloaded(2);
    send('1', start);
    send('2');
    for (const runtime of order) runtime.fail('1', 'answered', 'not-found');
    expect(state.ended).toEqual([
      `1: unavailable: no runtime can load digits version 3: ${order[1]!.address} not-found`,
      `2: ${failed}`,
    ]);
    state.onDemand = [];
    state.whyNotLoaded = 'no device';
    send('3', start);
    expect(state.ended[2]).toBe('3: unavailable: no runtime can load digits version 3: no device');
    expect(searches).toEqual([]);
  });

  it('is answered with every other refusal, and leaves no sequence', () => {
    const { send, order, state } = unloaded();
    send('1', start);
    order[0]!.fail('1', 'answered', 'invalid-argument');
    send('2');
    expect(state.ended).toEqual([`1: invalid-argument: ${order[0]!.address} invalid-argument`, `2: ${failed}`]);
    expect(order[1]!.sent).toEqual([]);
  });
});
