import { FakeClock } from '@sluice/testkit/fake-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { earlyEndsAllowed, Keeper } from './keeper.ts';
import type { Incarnation } from './keeper.ts';

class Life implements Incarnation {
  readonly #ready = Promise.withResolvers<undefined>();
  readonly #ended = Promise.withResolvers<string>();
  readonly ready = this.#ready.promise.then(() => undefined);
  readonly ended = this.#ended.promise;
  readonly stops: number[] = [];

  serve(): void {
    this.#ready.resolve(undefined);
  }

  end(how: string): void {
    this.#ended.resolve(how);
  }

  async stop(graceMs: number): Promise<void> {
    this.stops.push(graceMs);
    this.end('status 0');
  }
}

let clock: FakeClock;
let lives: Life[];
let said: string[];
let lasts: string[];
let keeper: Keeper;

/** Lets promises that are due run on. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

beforeEach(() => {
  clock = new FakeClock();
  lives = [];
  said = [];
  lasts = [];
  keeper = new Keeper({
    name: 'router',
    clock,
    start: async (last) => {
      lasts.push(last);
      const life = new Life();
      lives.push(life);
      return life;
    },
    say: (severity, message) => said.push(`${severity}: ${message}`),
  });
});

const die = async (how: string): Promise<void> => {
  await settle();
  lives.at(-1)!.end(how);
  await settle();
};

describe('Keeper', () => {
  it('starts again what died, after a delay, and says so', async () => {
    keeper.start();
    await settle();
    lives[0]!.serve();
    await keeper.firstReady;
    await die('signal SIGKILL');
    clock.advance(249);
    await settle();
    expect(lives).toHaveLength(1);
    clock.advance(1);
    await settle();
    expect(lives).toHaveLength(2);
    lives[1]!.serve();
    await settle();
    expect(said).toEqual([
      'warn: router ended with signal SIGKILL; starting it again in 250 ms',
      'info: router is back',
    ]);
    expect(lasts).toEqual(['', 'signal SIGKILL']);
  });

  it('doubles the delay up to ten seconds, and begins anew after a long life', async () => {
    keeper.start();
    await settle();
    lives[0]!.serve();
    for (let round = 0; round < 7; round++) {
      await die('status 1');
      clock.advance(10_000);
    }
    await settle();
    clock.advance(30_000);
    await die('status 1');
    const delays = said.filter((line) => line.startsWith('warn')).map((line) => /again in (.*)$/.exec(line)?.[1]);
    expect(delays).toEqual(['250 ms', '500 ms', '1 s', '2 s', '4 s', '8 s', '10 s', '250 ms']);
  });

  it('gives up on what never served, after the allowed number of ends and not before', async () => {
    keeper.start();
    for (let round = 1; round < earlyEndsAllowed; round++) {
      await die('status 2');
      clock.advance(10_000);
    }
    await settle();
    expect(lives).toHaveLength(earlyEndsAllowed);
    await die('status 2');
    await expect(keeper.firstReady).rejects.toThrow('router ended 5 times before it was ready, at last with status 2');
    clock.advance(60_000);
    await settle();
    expect(lives).toHaveLength(earlyEndsAllowed);
  });

  it('counts a start that throws as an end', async () => {
    const failing = new Keeper({
      name: 'postgres',
      clock,
      start: async () => {
        throw new Error('no binaries');
      },
      say: (_, message) => said.push(message),
    });
    failing.start();
    await settle();
    expect(said).toEqual(['postgres ended with Error: no binaries; starting it again in 250 ms']);
    await failing.stop(0);
  });

  it('does not start again what it was told to stop', async () => {
    keeper.start();
    await settle();
    await keeper.stop(1234);
    clock.advance(60_000);
    await settle();
    expect(lives).toHaveLength(1);
    expect(lives[0]!.stops).toEqual([1234]);
    expect(said).toEqual([]);
  });

  it('stops while it waits for a restart', async () => {
    keeper.start();
    await die('status 1');
    await keeper.stop(0);
    clock.advance(60_000);
    await settle();
    expect(lives).toHaveLength(1);
  });
});
