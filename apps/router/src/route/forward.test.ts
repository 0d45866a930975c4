import { describe, expect, it } from 'vitest';
import { forwardWorld as setUp, Runtime } from '../../test/forward-world.ts';
import { RouterRetryBudget } from './retry-tokens.ts';

describe('Forwarder', () => {
  it('sends to one runtime with the deadline, and answers with its answer', () => {
    const a = new Runtime('a');
    const { state, send } = setUp([a]);
    send();
    expect(a.sent[0]!.options.deadlineMs).toBe(1234);
    expect(state.ended).toEqual([]);
    a.answer('yes');
    expect(state.ended).toEqual(['yes']);
    expect(a.breaker.results).toEqual(['succeeded']);
  });

  it('sends to another runtime after a loss, and never to the same again', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = setUp([a, b]);
    send();
    a.fail('lost');
    expect([a.sent.length, b.sent.length]).toEqual([1, 1]);
    b.answer('from b');
    expect(state.ended).toEqual(['from b']);
    expect(state.failed).toEqual(['lost retried']);
    expect(a.breaker.results).toEqual(['failed']);
  });

  it('ends a request that two runtimes were lost with, also when a third is ready', () => {
    const [a, b, c] = [new Runtime('a'), new Runtime('b'), new Runtime('c')];
    const { state, send } = setUp([a, b, c]);
    send();
    a.fail('lost');
    (b.sent.length > 0 ? b : c).fail('lost');
    expect(state.ended[0]).toContain('internal: model ended its runtime');
    expect(a.sent.length + b.sent.length + c.sent.length).toBe(2);
  });

  it('answers at once when nothing is ready, or every breaker is open', () => {
    const none = setUp([]);
    none.send();
    expect(none.state.ended).toEqual([
      'unavailable: digits version 3 is ready on no runtime that this router reaches; try again',
    ]);
    const a = new Runtime('a');
    a.breaker.open = true;
    const broken = setUp([a]);
    broken.send();
    expect(broken.state.ended[0]).toContain('keeps failing on every runtime that has it');
    expect(a.sent).toHaveLength(0);
  });

  it('passes a runtime by whose breaker is open', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    a.breaker.open = true;
    const { send } = setUp([a, b]);
    for (let index = 0; index < 5; index++) send();
    expect([a.sent.length, b.sent.length]).toEqual([0, 5]);
  });

  it('stops when the budget is spent', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = setUp([a, b], true);
    send();
    a.fail('lost');
    expect(state.ended[0]).toContain('too many requests are being retried');
    expect(b.sent).toHaveLength(0);
  });

  it('does not count against a runtime what the caller did', () => {
    const a = new Runtime('a');
    const { state, send } = setUp([a]);
    send();
    a.fail('answered', 'invalid-argument');
    expect(state.ended).toEqual(['invalid-argument: it failed']);
    expect(a.breaker.results).toEqual(['succeeded']);
  });

  it('cancels at the runtime and answers nothing, nor retries, after that', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = setUp([a, b]);
    const call = send();
    call.cancel('cancelled');
    expect(a.cancelled).toBe(1);
    a.fail('lost');
    expect(state.ended).toEqual([]);
    expect(b.sent).toHaveLength(0);
  });

  it('answers when a link cannot take the request at all', () => {
    const a = new Runtime('a');
    a.isClosed = true;
    const { state, send } = setUp([a]);
    send();
    expect(state.ended).toEqual(['internal: internal error']);
    expect(a.breaker.results).toEqual(['released']);
  });

  it('learns nothing from a caller that goes away, and that nothing came from one whose time is over', () => {
    const a = new Runtime('a');
    const { send } = setUp([a]);
    send().cancel('cancelled');
    a.fail('local', 'cancelled');
    send().cancel('deadline-exceeded');
    a.fail('local', 'cancelled');
    send();
    a.fail('local', 'deadline-exceeded');
    expect(a.breaker.results).toEqual(['released', 'unanswered', 'unanswered']);
  });

  it('loses none of 600 requests whose runtime is lost soon after the start', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = setUp([a]);
    for (let index = 0; index < 600; index++) send();
    expect(a.inFlight).toBe(600);
    state.ready = [b];
    a.failAll('lost');
    expect(state.ended).toEqual([]);
    expect(b.inFlight).toBe(600);
  });

  it('loses none of them either after full queues took what they may', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = setUp([a, b]);
    for (let index = 0; index < 2_000; index++) {
      send();
      // One of two has it, and then the other, when the budget allows it.
      for (const runtime of [a, b, a]) if (runtime.inFlight > 0) runtime.fail('answered', 'unavailable');
    }
    expect(state.failed.filter((each) => each === 'answered answered').length).toBeGreaterThan(1_000);
    state.ready = [a];
    state.ended.length = 0;
    for (let index = 0; index < 600; index++) send();
    state.ready = [b];
    a.failAll('lost');
    expect(state.ended).toEqual([]);
    expect(b.inFlight).toBe(600);
  });
});

describe('RouterRetryBudget', () => {
  it('starts with a burst, fills by a fifth of the requests, and grows to twice what is in flight to one runtime', () => {
    const budget = new RouterRetryBudget();
    expect(budget.tokens).toBe(512);
    while (budget.tryTake('lost'));
    for (let index = 0; index < 5; index++) budget.requested();
    expect(budget.tryTake('lost')).toBe(true);
    expect(budget.tryTake('lost')).toBe(false);
    budget.sent(256);
    expect(budget.burst).toBe(512);
    for (let index = 257; index <= 600; index++) budget.sent(index);
    expect(budget.burst).toBe(2048);
    expect(budget.tokens).toBe(2048 - 512);
  });

  it('keeps half of its burst for lost runtimes', () => {
    const budget = new RouterRetryBudget();
    while (budget.tryTake('answered'));
    expect(budget.tokens).toBe(256);
    expect(budget.tryTake('lost')).toBe(true);
  });
});

describe('a version that is ready nowhere', () => {
  const waiting = (...runtimes: Runtime[]) => {
    const set = setUp([]);
    set.state.onDemand = runtimes;
    return set;
  };

  it('is asked for at the first of those that load it, as often as it is asked for', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = waiting(a, b);
    for (let count = 0; count < 5; count += 1) send();
    expect([a.sent.length, b.sent.length]).toEqual([5, 0]);
    a.answer('loaded');
    expect(state.ended).toEqual(['loaded']);
    expect(a.breaker.results).toEqual(['succeeded']);
  });

  it('is asked for at the next one when the first cannot load it or its breaker is open', () => {
    const [a, b, c] = [new Runtime('a'), new Runtime('b'), new Runtime('c')];
    const { state, send } = waiting(a, b, c);
    a.breaker.open = true;
    send();
    expect(b.sent).toHaveLength(1);
    b.fail('answered', 'unavailable');
    // The first is never asked, and none twice.
    expect([a.sent.length, b.sent.length, c.sent.length]).toEqual([0, 1, 1]);
    c.answer('loaded');
    expect(state.ended).toEqual(['loaded']);
  });

  it('goes to where it is ready as soon as it is', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = waiting(a);
    state.ready = [b];
    send();
    expect([a.sent.length, b.sent.length]).toEqual([0, 1]);
  });

  it('says nothing of a runtime when its load takes longer than a caller waits', () => {
    const a = new Runtime('a');
    const { send } = waiting(a);
    send();
    a.fail('local', 'deadline-exceeded');
    send().cancel('deadline-exceeded');
    a.fail('local', 'deadline-exceeded');
    expect(a.breaker.results).toEqual(['released', 'released']);
  });

  it('says nothing of a runtime that was given up while it loads, whatever the call ends with', () => {
    const a = new Runtime('a');
    const { send } = waiting(a);
    send().cancel('deadline-exceeded');
    a.fail('local', 'cancelled');
    expect(a.breaker.results).toEqual(['released']);
  });

  it('passes by all runtimes that cannot load it, without attempts and tokens', () => {
    const runtimes = ['a', 'b', 'c', 'd', 'e'].map((address) => new Runtime(address));
    const { state, send } = setUp([], true);
    state.onDemand = runtimes;
    send();
    for (const runtime of runtimes.slice(0, 3)) runtime.fail('answered', 'not-found');
    // A device is missing, or the load failed: it names no time to come again.
    runtimes[3]!.fail('answered', 'unavailable');
    runtimes[4]!.answer('loaded');
    expect(state.ended).toEqual(['loaded']);
    expect(state.refused).toEqual(['a', 'b', 'c', 'd'].map((address) => `${address} digits@3 it failed`));
    expect(state.failed).toEqual(Array.from({ length: 4 }, () => 'answered retried'));
  });

  it('has all its attempts left for runtimes that are full, whoever could not load it before', () => {
    const runtimes = ['a', 'b', 'c', 'd'].map((address) => new Runtime(address));
    const { state, send } = setUp([]);
    state.onDemand = runtimes;
    send();
    for (const runtime of runtimes.slice(0, 2)) runtime.fail('answered', 'not-found');
    runtimes[2]!.fail('answered', 'resource-exhausted', 500);
    runtimes[3]!.answer('loaded');
    expect(state.ended).toEqual(['loaded']);
  });

  it('counts runtimes that may yet have it: those that are full, or that say when to come again', () => {
    const runtimes = ['a', 'b', 'c', 'd'].map((address) => new Runtime(address));
    const { state, send } = setUp([]);
    state.onDemand = runtimes;
    send();
    runtimes[0]!.fail('answered', 'resource-exhausted', 500);
    runtimes[1]!.fail('answered', 'unavailable', 500);
    runtimes[2]!.fail('answered', 'unavailable', 500);
    expect(state.ended).toEqual(['unavailable: it failed']);
    expect([runtimes[3]!.sent.length, state.refused]).toEqual([0, []]);
  });

  it('is unavailable with the reason where nobody can load it', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = waiting(a, b);
    send();
    a.fail('answered', 'not-found');
    b.fail('answered', 'not-found');
    state.onDemand = [];
    state.whyNotLoaded = 'no device';
    send();
    const text = 'unavailable: no runtime can load digits version 3';
    expect(state.ended).toEqual([`${text}: it failed`, `${text}: no device`]);
  });

  it('is refused at once in quarantine, which is the same everywhere', () => {
    const [a, b] = [new Runtime('a'), new Runtime('b')];
    const { state, send } = waiting(a, b);
    send();
    a.fail('answered', 'failed-precondition');
    expect([state.ended, b.sent.length]).toEqual([['failed-precondition: it failed'], 0]);
  });

  it('is unavailable where nobody loads it', () => {
    const { state, send } = waiting();
    send();
    expect(state.ended[0]).toContain('is ready on no runtime that this router reaches');
  });
});
