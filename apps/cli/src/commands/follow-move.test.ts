import { RpcError, statusCodes } from '@sluice/rpc/status';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import type { CliError } from '../exit-codes.ts';
import { followMove } from './follow-move.ts';

type Update = Record<string, unknown>;

const move = (state: string, reasons: readonly string[] = []) =>
  ({
    id: 'm1',
    model: 'digits',
    alias: 'champion',
    fromVersion: '1',
    toVersion: '2',
    state: `ALIAS_MOVE_STATE_${state}`,
    reasons,
    runtimes: [],
  }) as unknown as Parameters<typeof followMove>[1];
const router = (routerId: string, applied: boolean) => ({ routerId, applied, appliedRevision: applied ? '9' : '7' });

/** A registry whose watches give these updates in turn: one list for each stream; `hang` keeps a stream open. */
function registryOf(streams: readonly (readonly (Update | 'hang' | 'break')[])[]) {
  const clock = new FakeClock();
  const notes: string[] = [];
  let opened = 0;
  const context = {
    clock,
    json: false,
    signal: new AbortController().signal,
    terminal: { out: () => undefined, note: (text: string) => notes.push(text), bars: undefined, input: undefined },
    services: {
      registry: {
        async *watchAliasMove(_: unknown, { signal }: { signal: AbortSignal }) {
          for (const update of streams[opened++] ?? []) {
            if (update === 'break') {
              throw new RpcError('unavailable', 'lost', { origin: 'lost', code: statusCodes.UNAVAILABLE });
            }
            if (update !== 'hang') {
              yield update;
              continue;
            }
            await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
            throw new RpcError('cancelled', 'cancelled', { origin: 'local', code: statusCodes.CANCELLED });
          }
        },
      },
    },
  } as unknown as CliContext;
  return { clock, notes, context, opened: () => opened };
}

/** Lets everything that can go on without time do so. */
const settle = async () => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

const failure = async (following: Promise<unknown>): Promise<CliError> => {
  try {
    await following;
  } catch (error) {
    return error as CliError;
  }
  return expect.unreachable('it did not fail');
};

describe('following a move', () => {
  it('returns when every router has applied it, showing each step once', async () => {
    const { context, notes } = registryOf([
      [
        { move: move('REQUESTED'), routers: [], done: false },
        { move: move('REQUESTED'), routers: [], done: false },
        { move: move('EFFECTIVE'), routers: [router('a', false)], done: false },
        { move: move('EFFECTIVE'), routers: [router('a', true)], done: true },
      ],
    ]);
    const end = await followMove(context, move('REQUESTED'));
    expect(end.routers).toEqual([router('a', true)]);
    expect(notes).toEqual([
      '  digits champion to version 2: requested; waiting for runtimes',
      '  digits champion to version 2: in effect; applied by 0 of 1 routers',
      '  digits champion to version 2: in effect; applied by 1 of 1 routers',
    ]);
  });

  it('names the routers that have not applied it 10 s after it took effect, not a moment before', async () => {
    const { context, clock } = registryOf([
      [{ move: move('EFFECTIVE'), routers: [router('a', true), router('b', false)], done: false }, 'hang'],
    ]);
    let failed: CliError | undefined;
    const following = failure(followMove(context, move('REQUESTED'))).then((error) => (failed = error));
    await settle();
    clock.advance(9_999);
    await settle();
    expect(failed).toBeUndefined();
    clock.advance(1);
    await following;
    expect(failed).toMatchObject({
      code: 6,
      message: 'digits champion is version 2, but after 10 s these routers have not applied it: b (at revision 7)',
    });
  });

  it('fails, too, when the registry falls silent after the move took effect', async () => {
    const { context, clock } = registryOf([[{ move: move('EFFECTIVE'), routers: [], done: false }, 'hang']]);
    const following = failure(followMove(context, move('REQUESTED')));
    await settle();
    clock.advance(10_000);
    expect((await following).message).toMatch(/unknown, the registry has not said/);
  });

  it.each([
    ['WITHDRAWN', ['runtime-1: no memory'], /was withdrawn: runtime-1: no memory; champion stays on version 1/],
    ['CANCELLED', [], /was cancelled; champion stays on version 1/],
  ])('refuses what ended %s', async (state, reasons, message) => {
    const { context } = registryOf([[{ move: move(state, reasons), routers: [], done: true }]]);
    const error = await failure(followMove(context, move('REQUESTED')));
    expect([error.code, error.message]).toEqual([4, expect.stringMatching(message)]);
  });

  it('goes on with another stream when one breaks or just ends', async () => {
    const done = { move: move('EFFECTIVE'), routers: [router('a', true)], done: true };
    const { context, clock, opened } = registryOf([['break'], [], [done]]);
    const following = followMove(context, move('REQUESTED'));
    for (let wait = 0; wait < 3; wait += 1) {
      await settle();
      clock.advance(2_000);
    }
    expect((await following).routers).toHaveLength(1);
    expect(opened()).toBe(3);
  });

  it('gives up when no registry answers for 30 s', async () => {
    const { context, clock } = registryOf(Array.from({ length: 100 }, () => ['break' as const]));
    let error: CliError | undefined;
    const following = failure(followMove(context, move('REQUESTED'))).then((caught) => (error = caught));
    for (let step = 0; step < 40 && !error; step += 1) {
      await settle();
      clock.advance(1_000);
    }
    await following;
    expect(error).toMatchObject({ kind: 'unavailable' });
    expect(clock.monotonic()).toBeGreaterThan(30_000);
  });
});
