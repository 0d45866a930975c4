import { SluiceError, errorKinds } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { createBreaker } from './breaker.ts';
import type { Breaker, BreakerOptions, BreakerState } from './breaker.ts';

const broken = new SluiceError('unavailable', 'connection refused');
/** opossum counts in reactions to promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function make(options: Partial<BreakerOptions> = {}) {
  const clock = new FakeClock();
  const states: BreakerState[] = [];
  const breaker = createBreaker({
    name: 'runtime-1 digits/3',
    clock,
    minRequests: 4,
    windowMs: 10_000,
    resetMs: 1_000,
    onState: (state) => states.push(state),
    ...options,
  });
  return { clock, states, breaker };
}

async function send(breaker: Breaker, ...outcomes: ('ok' | SluiceError)[]): Promise<number> {
  let passed = 0;
  for (const outcome of outcomes) {
    const permit = breaker.begin();
    if (permit === undefined) continue;
    passed++;
    if (outcome === 'ok') permit.succeed();
    else permit.fail(outcome);
    await settled();
  }
  return passed;
}

describe('a closed breaker', () => {
  it('opens on the last of the fewest requests, not on one fewer', async () => {
    const { breaker } = make();
    await send(breaker, broken, broken, broken);
    expect(breaker.state).toBe('closed');
    await send(breaker, broken);
    expect(breaker.state).toBe('open');
  });

  it('stays closed at exactly the share, and opens above it', async () => {
    const { breaker } = make();
    await send(breaker, 'ok', 'ok', broken, broken);
    expect(breaker.state).toBe('closed');
    await send(breaker, broken);
    expect(breaker.state).toBe('open');
  });

  it('forgets what is older than its window', async () => {
    const { breaker, clock } = make();
    await send(breaker, broken, broken, broken);
    clock.advance(10_000);
    await send(breaker, broken);
    expect(breaker.state).toBe('closed');
    await send(breaker, broken, broken, broken);
    expect(breaker.state).toBe('open');
  });

  it.each(errorKinds)('counts %s only when it says that the peer is broken', async (kind) => {
    const { breaker } = make();
    const error = new SluiceError(kind, 'x');
    await send(breaker, error, error, error, error, error);
    const counts = ['deadline-exceeded', 'unavailable', 'data-loss', 'internal'].includes(kind);
    expect(breaker.state).toBe(counts ? 'open' : 'closed');
  });

  it('counts what has ended, whatever is in flight or was released', async () => {
    const { breaker } = make();
    for (let index = 0; index < 100; index++) {
      const permit = breaker.begin()!;
      if (index % 2 === 0) permit.release();
    }
    await send(breaker, broken, broken, broken);
    expect(breaker.state).toBe('closed');
    await send(breaker, broken);
    expect(breaker.state).toBe('open');
  });

  it('opens when nothing was answered for long, and not when callers give too little time now and then', async () => {
    const { breaker, clock } = make({ silentMs: 5_000 });
    const late = (): void => breaker.begin()?.unanswered();
    for (let index = 0; index < 100; index++) late();
    expect(breaker.state).toBe('closed');
    clock.advance(4_999);
    late();
    expect(breaker.state).toBe('closed');
    await send(breaker, 'ok');
    clock.advance(1);
    late();
    clock.advance(4_999);
    for (let index = 0; index < 100; index++) late();
    expect(breaker.state).toBe('closed');
    clock.advance(1);
    late();
    expect(breaker.state).toBe('open');
  });

  it('does not open on fewer deadlines than the fewest requests, however long', () => {
    const { breaker, clock } = make();
    for (let index = 0; index < 3; index++) {
      breaker.begin()!.unanswered();
      clock.advance(60_000);
    }
    expect(breaker.state).toBe('closed');
    breaker.begin()!.unanswered();
    expect(breaker.state).toBe('open');
  });

  it('learns nothing from what is released', async () => {
    const { breaker } = make();
    for (let index = 0; index < 100; index++) breaker.begin()?.release();
    await settled();
    await send(breaker, broken);
    expect(breaker.state).toBe('closed');
  });
});

describe('an open breaker', () => {
  async function opened(options: Partial<BreakerOptions> = {}) {
    const world = make(options);
    await send(world.breaker, broken, broken, broken, broken);
    expect(world.breaker.state).toBe('open');
    return world;
  }

  it('lets nothing pass before the reset time, and one request at exactly it', async () => {
    const { breaker, clock, states } = await opened();
    clock.advance(999);
    expect(breaker.begin()).toBeUndefined();
    clock.advance(1);
    expect(breaker.state).toBe('half-open');
    const probe = breaker.begin();
    expect(probe).toBeDefined();
    expect(breaker.begin()).toBeUndefined();
    probe!.succeed();
    await settled();
    expect(breaker.state).toBe('closed');
    expect(states).toEqual(['open', 'half-open', 'closed']);
    expect(await send(breaker, 'ok', 'ok')).toBe(2);
  });

  it('stays open for another reset time when the probe fails', async () => {
    const { breaker, clock } = await opened();
    clock.advance(1_000);
    await send(breaker, broken);
    expect(breaker.state).toBe('open');
    clock.advance(999);
    expect(breaker.begin()).toBeUndefined();
    clock.advance(1);
    expect(breaker.begin()).toBeDefined();
  });

  it('probes again after a probe that was released, and does not stick', async () => {
    const { breaker, clock } = await opened();
    clock.advance(1_000);
    breaker.begin()!.release();
    expect(breaker.state).toBe('open');
    clock.advance(1_000);
    await send(breaker, 'ok');
    expect(breaker.state).toBe('closed');
  });

  it('gives up a probe that hangs and tries another, and takes a late answer for what it is', async () => {
    const { breaker, clock, states } = await opened({ probeMs: 5_000 });
    clock.advance(1_000);
    const hangs = breaker.begin()!;
    clock.advance(4_999);
    expect(breaker.state).toBe('half-open');
    expect(breaker.begin()).toBeUndefined();
    clock.advance(1);
    expect(breaker.state).toBe('open');
    clock.advance(1_000);
    const next = breaker.begin();
    expect(next).toBeDefined();
    expect(breaker.begin()).toBeUndefined();
    hangs.succeed();
    await settled();
    expect(breaker.state).toBe('closed');
    next!.fail(broken);
    await settled();
    expect(breaker.state).toBe('closed');
    expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('opens again when its probe runs into its deadline', async () => {
    const { breaker, clock } = await opened();
    clock.advance(1_000);
    breaker.begin()!.unanswered();
    expect(breaker.state).toBe('open');
  });

  it('says nothing more once it is closed for good', async () => {
    const { breaker, clock, states } = await opened();
    clock.advance(1_000);
    const probe = breaker.begin()!;
    breaker.close();
    probe.fail(broken);
    await settled();
    expect(states).toEqual(['open', 'half-open']);
  });

  it('takes a capacity error as a sign of life', async () => {
    const { breaker, clock } = await opened();
    clock.advance(1_000);
    await send(breaker, new SluiceError('resource-exhausted', 'queue full'));
    expect(breaker.state).toBe('closed');
  });

  it('is not moved by what was sent before it opened', async () => {
    const { breaker, clock } = make();
    const late = breaker.begin()!;
    await send(breaker, broken, broken, broken, broken);
    expect(breaker.state).toBe('open');
    clock.advance(1_000);
    expect(breaker.state).toBe('half-open');
    late.fail(broken);
    await settled();
    expect(breaker.state).toBe('half-open');
  });

  it('says when to come back', async () => {
    const { breaker, clock } = await opened();
    clock.advance(400);
    await expect(breaker.run(async () => 1)).rejects.toMatchObject({ kind: 'unavailable', retryAfterMs: 600 });
  });
});

describe('run', () => {
  it('hands results and errors on, and lets siblings be', async () => {
    const { breaker } = make();
    const slow = Promise.withResolvers<string>();
    const sibling = breaker.run(() => slow.promise);
    await expect(breaker.run(async () => Promise.reject(broken))).rejects.toBe(broken);
    slow.resolve('whole');
    expect(await sibling).toBe('whole');
  });

  it('lets nothing pass once it is closed for good', async () => {
    const { breaker } = make();
    breaker.close();
    expect(breaker.begin()).toBeUndefined();
    await expect(breaker.run(async () => 1)).rejects.toThrow(/gets no requests/);
  });
});
