import { describe, expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { Gate } from '../gate.ts';
import type { Item, ItemAnswer } from './item.ts';
import type { JoinerStore } from './joiner-ports.ts';
import { Joiner } from './joiner.ts';
import type { RecordPorts } from './record-items.ts';

/** Tables of which only numbers of transactions are known. */
class Numbers implements JoinerStore {
  xmin = 100n;
  position = 0n;
  timeline = 1;
  /** Numbers of transactions that stored evidence. */
  evidence: bigint[] = [];
  /** What was looked at, from and to. */
  readonly looked: string[] = [];
  counted = 0;
  countsFail = false;
  numbers = 0;
  /** The number that is taken; undefined: the next one, whose transaction is over at once. */
  barrier: bigint | undefined;
  readonly endedBefore: string[] = [];

  async exclusively(fn: () => Promise<void>) {
    await fn();
    return true;
  }
  async horizon() {
    const { xmin, position, timeline } = this;
    return { xmin, xmax: xmin, position, now: String(xmin), isNew: false, timeline };
  }
  async hasEvidence(from: bigint, to: bigint) {
    return this.evidence.some((each) => each >= from && each < to);
  }
  async takeNumber() {
    this.numbers += 1;
    if (this.barrier !== undefined) return this.barrier;
    this.xmin += 1n;
    return this.xmin - 1n;
  }
  async chunkEnd(_: bigint, to: bigint) {
    return to;
  }
  async waits() {
    return { forPredictions: this.pages > 0, forRequests: this.pages > 0 };
  }
  async predictionsIn(from: bigint, to: bigint) {
    this.looked.push(`${from}-${to}`);
    return this.pages > 0 ? ['p'] : [];
  }
  async labelledIn(from: bigint, to: bigint) {
    if (this.pages === 0) this.looked.push(`${from}-${to}`);
    return [];
  }
  async requestsIn() {
    return [];
  }
  /** Pages of items that wait for the prediction of what is looked at. */
  pages = 0;

  async waitingForPredictions(_: readonly string[], after: number, limit: number) {
    const count = after < this.pages * limit ? limit : 0;
    const item = {} as Item;
    return Array.from({ length: count }, (_each, at) => ({ id: after + at + 1, key: Buffer.alloc(0), item }));
  }
  async waitingForRequests() {
    return [];
  }
  async missingOutcomes() {
    return [];
  }
  async advance(to: bigint) {
    this.position = to;
  }
  async endExpired(before: string) {
    this.endedBefore.push(before);
    return 0;
  }
  async forgetEnded() {
    return 0;
  }
  async counts() {
    this.counted += 1;
    if (this.countsFail) throw new Error('too many to count');
    return { waiting: 1, ended: 0 };
  }
  async close() {}
}

function world() {
  const store = new Numbers();
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const answers = Array<ItemAnswer>(1_000).fill({ result: 'waiting', untilMs: 0 });
  const ports = {
    ...{ turns: new Gate(1), clock, store: { transaction: () => Promise.resolve({ answers }) } },
  } as unknown as RecordPorts;
  const joiner = new Joiner({
    ...{ store, ports, clock, everyMs: 100, isUp: () => true },
    ...{ onSettled: () => undefined, onError: (error) => errors.push(error) },
  });
  return { store, clock, joiner, errors };
}

describe('the joiner', () => {
  it('looks at evidence once, and takes no number where there is none', async () => {
    const { store, joiner } = world();
    store.evidence = [90n];
    for (let round = 0; round < 3; round++) await joiner.round();
    expect([store.looked, store.numbers]).toEqual([['0-100'], 1]);
  });

  it('sees evidence of a number that was free again after a crash, whatever it had seen of numbers before', async () => {
    const { store, joiner } = world();
    store.evidence = [90n];
    await joiner.round();
    // Transactions that wrote nothing, and are forgotten by the crash.
    store.xmin = 200n;
    await joiner.round();
    store.xmin = 120n;
    await joiner.round();
    store.evidence.push(110n);
    await joiner.round();
    expect(store.looked).toEqual(['0-100', '100-120']);
  });

  it('forgets what it wanted to wait for when the database is another one of the same history', async () => {
    const { store, joiner } = world();
    store.evidence = [90n];
    store.barrier = 150n;
    await joiner.round();
    // A standby takes over that had not got the last transactions, and gives out their numbers anew.
    [store.timeline, store.xmin, store.evidence, store.barrier] = [2, 80n, [70n], undefined];
    await joiner.round();
    store.xmin = 160n;
    store.evidence.push(95n);
    await joiner.round();
    expect(store.looked).toEqual(['0-80', '80-160']);
  });

  it('gives up only what waited in vain when all that was committed at that moment has been looked at', async () => {
    const { store, joiner } = world();
    await joiner.round();
    store.xmin = 101n;
    await joiner.round();
    expect(store.endedBefore).toEqual(['100']);
  });

  it('stops in the middle of what waits for one prediction, and leaves the position where it was', async () => {
    const { store, joiner } = world();
    [store.evidence, store.pages] = [[90n], 100];
    joiner.start();
    for (let turn = 0; turn < 100 && store.looked.length === 0; turn++) await Promise.resolve();
    await joiner.close();
    expect([store.looked, store.position]).toEqual([['0-100'], 0n]);
  });

  it('counts what waits every ten seconds, also where that fails', async () => {
    const { store, clock, joiner, errors } = world();
    store.countsFail = true;
    for (let round = 0; round < 20; round++) {
      await joiner.round();
      clock.advance(1_000);
    }
    expect([store.counted, errors.length]).toEqual([2, 2]);
  });
});
