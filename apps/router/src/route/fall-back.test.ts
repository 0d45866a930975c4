import { describe, expect, it } from 'vitest';
import { forwardWorld, Runtime } from '../../test/forward-world.ts';
import { modelRoute } from '../../test/routes.ts';

describe('a version that may be answered for by another', () => {
  const other = modelRoute({ placed: [2] }).placed.get(2)!;
  /** Runtimes that have the version, and those that have the other. */
  const pair = (first: Runtime[], second: Runtime[], spent = false) => {
    const set = forwardWorld(first, spent);
    set.state.instead = other;
    set.state.readyOf = { [other.key]: second };
    return set;
  };

  it.each([
    'unavailable',
    'internal',
    'model-failed',
    'data-loss',
    'resource-exhausted',
    'failed-precondition',
  ] as const)('is, when it ends in %s', (kind) => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = pair([a], [b]);
    send();
    a.fail('answered', kind);
    expect(state.told).toEqual(['to a', `instead after ${kind}`, 'to b']);
    expect(b.sent[0]!.options).toEqual({ deadlineMs: 1234, suffix: other.override });
    b.answer('from b');
    expect(state.ended).toEqual(['from b']);
  });

  it.each(['invalid-argument', 'deadline-exceeded', 'cancelled', 'unimplemented', 'permission-denied'] as const)(
    'is not, when it ends in %s',
    (kind) => {
      const [a, b] = [new Runtime('a'), new Runtime('b')];
      const { state, send } = pair([a], [b]);
      send();
      a.fail(kind === 'cancelled' ? 'local' : 'answered', kind);
      expect([state.ended, b.sent.length]).toEqual([[`${kind}: it failed`], 0]);
    },
  );

  it('is once: what the other one fails with is the answer', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = pair([a], [b]);
    send();
    a.fail('answered', 'internal');
    b.fail('answered', 'model-failed');
    expect([state.ended, a.sent.length, b.sent.length]).toEqual([['model-failed: it failed'], 1, 1]);
  });

  it('is without a token where nothing was sent: no runtime has it, or all breakers are open', () => {
    for (const first of [[], [new Runtime('a')]]) {
      for (const runtime of first) runtime.breaker.open = true;
      const b = new Runtime('b');
      const { state, send } = pair(first, [b], true);
      send();
      b.answer('from b');
      expect([state.told, state.ended]).toEqual([['instead after unavailable', 'to b'], ['from b']]);
    }
  });

  it('is with a token where it was sent, and not when the budget is spent', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send, budget } = pair([a], [b]);
    send();
    const before = budget.tokens;
    a.fail('answered', 'internal');
    expect(budget.tokens).toBe(before - 1);
    b.answer();
    const spent = pair([a], [b], true);
    spent.send();
    a.fail('answered', 'internal');
    expect([spent.state.ended, b.sent.length, state.ended]).toEqual([['internal: it failed'], 1, ['ok']]);
  });

  it('is not for a request that two runtimes were lost with, whoever had them', () => {
    const [a, b, c] = [new Runtime('a'), new Runtime('b'), new Runtime('c')];
    const same = pair([a, b], [c]);
    same.send();
    for (const runtime of [a, b]) runtime.failAll('lost');
    expect(same.state.ended[0]).toContain('internal: model ended its runtime');
    // One with the version, one with the other: a third is not asked.
    const both = pair([a], [b, c]);
    both.send();
    a.fail('lost');
    expect(both.state.told).toEqual(['to a', 'instead after unavailable', 'to b']);
    b.fail('lost');
    expect([both.state.ended[0], c.sent.length]).toEqual([
      'internal: model ended its runtime: 2 runtimes were lost while they worked on this request of digits version 2',
      0,
    ]);
  });

  it("is not for a watchdog's answer, or another whose request may have ended a thread", () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = pair([a], [b]);
    send();
    a.fail('answered', 'internal', undefined, { 'sluice-never-again': 'true' });
    expect([state.ended, b.sent.length]).toEqual([['internal: it failed'], 0]);
  });

  it('has three attempts in all, of which one at least is for the other version', () => {
    const first = ['a', 'b', 'c', 'd'].map((address) => new Runtime(address));
    const second = ['e', 'f', 'g'].map((address) => new Runtime(address));
    const { state, send } = pair(first, second);
    send();
    const failAll = (): void => {
      for (const runtime of [...first, ...second]) if (runtime.inFlight > 0) runtime.fail('answered', 'unavailable', 5);
    };
    for (let turn = 0; turn < 8; turn++) failAll();
    expect(state.told.filter((each) => each.startsWith('to'))).toEqual(['to a', 'to b', 'to c', 'to e']);
    const fresh = pair([first[0]!], second);
    fresh.send();
    for (let turn = 0; turn < 8; turn++) failAll();
    expect(fresh.state.told.filter((each) => each.startsWith('to'))).toEqual(['to a', 'to e', 'to f']);
  });

  it('goes to runtimes that had it as the first version, too', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = pair([a], [b, a]);
    send();
    a.fail('answered', 'internal');
    b.fail('answered', 'unavailable');
    expect(state.told.filter((each) => each.startsWith('to'))).toEqual(['to a', 'to b', 'to a']);
    a.answer('from a');
    expect(state.ended).toEqual(['from a']);
  });

  it('goes on with what a retry left: its token, and whoever gives up', () => {
    const [a, b, c] = [new Runtime('a'), new Runtime('b'), new Runtime('c')];
    const { state, send, budget } = pair([a, b], [c]);
    const call = send();
    const before = budget.tokens;
    b.breaker.open = true;
    a.fail('answered', 'unavailable');
    expect(state.told).toEqual(['to a', 'again after unavailable', 'instead after unavailable', 'to c']);
    expect(budget.tokens).toBe(before - 1);
    call.cancel('cancelled');
    expect(c.cancelled).toBe(1);
    c.fail('local', 'cancelled');
    expect(state.ended).toEqual([]);
  });
});
