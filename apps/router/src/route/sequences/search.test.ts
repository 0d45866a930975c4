import { SluiceError } from '@sluice/domain/errors';
import type { ErrorKind } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { settle } from '../../../test/doubles.ts';
import type { LinkState, RuntimeLink } from '../../runtimes/runtime-link.ts';
import { byRendezvous } from '../../runtimes/rendezvous.ts';
import { findSequence } from './search.ts';
import type { Found } from './search.ts';

interface Runtime {
  readonly address: string;
  state: LinkState;
  isLost: boolean;
}

const question = { model: 'digits', id: 7n, version: 0, except: undefined as RuntimeLink | undefined };

/** A search among runtimes; `asked` has their ranks in the order of the hash. */
function search(runtimes: readonly Runtime[], except?: Runtime) {
  const clock = new FakeClock();
  const order = byRendezvous(runtimes, 'key').map(({ address }) => address);
  const asked: number[] = [];
  const deadlines: number[] = [];
  const answers = new Map<number, PromiseWithResolvers<number | undefined>>();
  const links = () => runtimes as unknown as readonly RuntimeLink[];
  let found: Found | undefined;
  const locate = (link: RuntimeLink, _question: unknown, deadlineMs: number) => {
    const rank = order.indexOf(link.address);
    asked.push(rank);
    deadlines.push(deadlineMs - clock.now());
    const answer = Promise.withResolvers<number | undefined>();
    answers.set(rank, answer);
    return answer.promise;
  };
  const asks = { ...question, except: except as RuntimeLink | undefined };
  void findSequence({ clock, links, locate }, asks, 'key').then((result) => (found = result));
  return {
    asked,
    deadlines,
    found: () => (found?.kind === 'there' ? [order.indexOf(found.link.address), found.version] : found?.kind),
    says: async (rank: number, version: number | undefined) => {
      answers.get(rank)!.resolve(version);
      await settle();
    },
    fails: async (rank: number, kind: ErrorKind) => {
      answers.get(rank)!.reject(new SluiceError(kind, 'it failed'));
      await settle();
    },
  };
}

const up = (count: number): Runtime[] =>
  Array.from({ length: count }, (_, index) => ({ address: `r${index}:1`, state: 'up', isLost: false }));

describe('findSequence', () => {
  it('asks the owner of the hash alone when that has it', async () => {
    const { asked, deadlines, found, says } = search(up(4));
    expect(asked).toEqual([0]);
    await says(0, 3);
    expect(found()).toEqual([0, 3]);
    expect([asked, deadlines]).toEqual([[0], [500]]);
  });

  it('asks all others at once, each once, within a second in all, and takes the first that has it', async () => {
    const { asked, deadlines, found, says } = search(up(4));
    await says(0, undefined);
    expect([asked, deadlines]).toEqual([
      [0, 1, 2, 3],
      [500, 1_000, 1_000, 1_000],
    ]);
    await says(1, undefined);
    await says(3, 2);
    expect(found()).toEqual([3, 2]);
  });

  it('finds it nowhere when every runtime said so; one of before sequences has none', async () => {
    const { found, says, fails } = search(up(3));
    await says(0, undefined);
    await fails(2, 'unimplemented');
    expect(found()).toBeUndefined();
    await says(1, undefined);
    expect(found()).toBe('nowhere');
  });

  it('is unsure when a runtime did not say, the owner too', async () => {
    for (const silent of [0, 1]) {
      const { found, says, fails } = search(up(2));
      for (const rank of [0, 1]) await (rank === silent ? fails(rank, 'deadline-exceeded') : says(rank, undefined));
      expect(found()).toBe('unsure');
    }
  });

  it('finds it all the same when another did not say', async () => {
    const { found, says, fails } = search(up(2));
    await fails(0, 'deadline-exceeded');
    await says(1, 3);
    expect(found()).toEqual([1, 3]);
  });

  it('asks runtimes that stop; counts one that is gone as not knowing it, and one that is not reached yet as perhaps', async () => {
    const away = (isLost: boolean): Runtime[] => [
      { address: 'r0:1', state: 'draining', isLost: false },
      { address: 'r1:1', state: 'connecting', isLost },
    ];
    for (const isLost of [true, false]) {
      const runtimes = away(isLost);
      const rank = byRendezvous(runtimes, 'key').findIndex(({ state }) => state === 'draining');
      const { asked, found, says } = search(runtimes);
      expect(asked).toEqual([rank]);
      await says(rank, undefined);
      expect(found()).toBe(isLost ? 'nowhere' : 'unsure');
    }
  });

  it('leaves one out that is not to be asked, and what it knows', async () => {
    const runtimes = up(2);
    const owner = byRendezvous(runtimes, 'key')[0]!;
    owner.state = 'connecting';
    const { asked, found, says } = search(runtimes, owner);
    expect(asked).toEqual([1]);
    await says(1, undefined);
    expect(found()).toBe('nowhere');
  });

  it('is unsure when this router knows no runtimes', async () => {
    const { found } = search([]);
    await settle();
    expect(found()).toBe('unsure');
  });
});
