import { registryService } from '@sluice/contracts/services';
import type { RegistryServiceMethods } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { watch } from '../src/handlers.ts';
import type { Handlers } from '../src/handlers.ts';
import { WireWatch } from '../src/raw/wire-watch.ts';
import { cleanups } from './cleanups.ts';
import { collect, failureOf, start } from './world.ts';

type WatchAliasMove = Handlers<RegistryServiceMethods>['watchAliasMove'];

describe('a watch on wire', () => {
  const never = new AbortController().signal;

  function clientOf(port: number) {
    const options = { clock: systemClock, random: systemRandom };
    const client = new WireWatch(registryService, 'watchAliasMove', `127.0.0.1:${port}`, options);
    cleanups.push(() => client.close());
    return client;
  }

  async function watching(handler: Parameters<typeof watch>[0]) {
    const { port, server } = await start({ watchAliasMove: watch(handler as never) as WatchAliasMove });
    return { client: clientOf(port), server };
  }

  it('gives the answers in order, and ends with the stream', async () => {
    const names: string[] = [];
    const { client } = await watching(async function* (request) {
      names.push((request as { moveId: string }).moveId);
      for (let count = 0; count < 100; count++) yield { done: count === 99 };
    });
    const answers = await collect(client.open({ moveId: 'digits' }, never));
    expect([names, answers.length, answers.filter(({ done }) => done).length]).toEqual([['digits'], 100, 1]);
    expect(answers[99]?.done).toBe(true);
  });

  it('fails as the server says, behind the answers before', async () => {
    const { client } = await watching(async function* () {
      yield { done: false };
      throw new SluiceError('not-found', 'there is no such model');
    });
    const answers: object[] = [];
    const failure = await failureOf(collect(client.open({}, never), answers));
    expect([failure.kind, failure.origin, failure.message]).toEqual([
      'not-found',
      'answered',
      'there is no such model',
    ]);
    expect(answers).toHaveLength(1);
  });

  it('ends for its signal and for a reader that has enough, which the server hears of', async () => {
    let ended = 0;
    const { client, server } = await watching(async function* (_request, ctx) {
      ctx.signal.addEventListener('abort', () => ended++);
      yield { done: false };
      await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
    });
    const controller = new AbortController();
    const answers = client.open({}, controller.signal);
    await answers.next();
    controller.abort();
    expect(await failureOf(answers.next())).toMatchObject({ kind: 'cancelled', origin: 'local' });
    await eventually(() => expect(ended).toBe(1));
    for await (const answer of client.open({}, never)) {
      expect(answer.done).toBe(false);
      break;
    }
    await eventually(() => expect([ended, server.inFlight]).toEqual([2, 0]));
    expect(await failureOf(client.open({}, controller.signal).next())).toMatchObject({ kind: 'cancelled' });
  });

  it('is read no faster than its reader takes', async () => {
    let made = 0;
    const text = 'x'.repeat(100_000);
    const { client } = await watching(async function* () {
      for (; made < 500; made++) yield { move: { alias: text } };
    });
    const answers = client.open({}, never);
    await answers.next();
    await new Promise<void>((resolve) => void systemClock.schedule(100, resolve));
    expect(made).toBeLessThan(200);
    expect(await collect(answers)).toHaveLength(499);
  });

  it('says that nothing was sent where nobody is', async () => {
    const failure = await failureOf(clientOf(1).open({}, never).next());
    expect([failure.kind, failure.origin]).toEqual(['unavailable', 'unsent']);
  });
});
