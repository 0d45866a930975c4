import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import type { SequenceId, SequenceMark } from '@sluice/inference/sequence';
import type { Engine } from '../serving/engine.ts';
import { WaitingRequests } from './waiting-requests.ts';

function setUp() {
  const later: (() => void)[] = [];
  const engine = {} as unknown as Engine;
  let ready = true;
  const waiting = new WaitingRequests({ defer: (fn) => later.push(fn), engine: () => (ready ? engine : undefined) });
  const told: string[] = [];
  const add = (version: string, name: string, more: () => void = () => undefined, sequence?: SequenceMark) =>
    waiting.add(version, {
      sequence,
      start: () => {
        told.push(`${name} starts`);
        more();
      },
      fail: ({ message }) => void told.push(`${name}: ${message}`),
    });
  const turn = () => {
    for (const fn of later.splice(0)) fn();
  };
  const setReady = (now: boolean): void => void (ready = now);
  return { waiting, told, add, engine, turn, later, setReady };
}

describe('WaitingRequests', () => {
  it('starts those of a version in the order in which they came, once', () => {
    const { waiting, told, add } = setUp();
    for (const name of ['1', '2', '3']) add('a', name);
    add('b', 'other');
    expect([waiting.count, waiting.has('a'), waiting.has('c')]).toEqual([4, true, false]);
    waiting.start('a');
    waiting.start('a');
    expect(told).toEqual(['1 starts', '2 starts', '3 starts']);
    expect([waiting.count, waiting.has('a')]).toEqual([1, false]);
  });

  it('tells all why a version does not come', () => {
    const { waiting, told, add } = setUp();
    add('a', '1');
    add('a', '2');
    waiting.fail('a', unavailable('no'));
    waiting.start('a');
    expect(told).toEqual(['1: no', '2: no']);
    expect(waiting.count).toBe(0);
  });

  it('tells everybody at once, whatever they wait for', () => {
    const { waiting, told, add } = setUp();
    add('a', '1');
    add('b', '2');
    waiting.failAll(unavailable('over'));
    expect([told, waiting.count]).toEqual([['1: over', '2: over'], 0]);
  });

  it('tells those whose sequence nothing has started, and knows which starts wait', () => {
    const { waiting, told, add } = setUp();
    const mark = (id: bigint, start = false): SequenceMark => ({ id, start, end: false });
    const left = add('a', 'lost', undefined, mark(1n));
    add('a', 'start', undefined, mark(2n, true));
    add('a', 'step', undefined, mark(2n));
    add('a', 'other');
    expect([waiting.startWaits('a', 2n), waiting.startWaits('a', 1n), waiting.startWaits('b', 2n)]).toEqual([
      true,
      false,
      false,
    ]);
    const lost = (id: SequenceId) => unavailable(`${id} is lost`);
    waiting.failLost('a', lost);
    waiting.failLost('b', lost);
    expect([told, waiting.count, left()]).toEqual([['lost: 1 is lost'], 3, false]);
    add('b', 'alone', undefined, mark(3n));
    waiting.failLost('b', lost);
    expect([told.at(-1), waiting.has('b'), waiting.count]).toEqual(['alone: 3 is lost', false, 3]);
  });

  it('forgets who leaves, who may leave once and not after the end', () => {
    const { waiting, told, add } = setUp();
    const [one, two] = [add('a', '1'), add('a', '2')];
    expect([one(), one(), waiting.count]).toEqual([true, false, 1]);
    waiting.start('a');
    expect([two(), waiting.count]).toEqual([false, 0]);
    expect(told).toEqual(['2 starts']);
    const last = add('a', '3');
    expect([last(), waiting.has('a')]).toEqual([true, false]);
  });

  it('starts 256 in a turn, and besides as many as have come since, so that it ends', () => {
    const { waiting, told, add, engine, turn, later } = setUp();
    for (let number = 1; number <= 600; number += 1) add('a', String(number));
    // Those that came before the start are no reason to hurry.
    waiting.start('a');
    expect([told.length, waiting.count]).toEqual([256, 344]);
    expect(waiting.versionBehind(engine)).toBe('a');
    waiting.start('a');
    for (let number = 601; number <= 610; number += 1) add('a', String(number));
    turn();
    expect([told.length, waiting.count]).toEqual([256 + 266, 88]);
    turn();
    expect([told.length, waiting.count, waiting.has('a')]).toEqual([610, 0, false]);
    expect(told).toEqual(Array.from({ length: 610 }, (_, index) => `${index + 1} starts`));
    expect([waiting.versionBehind(engine), later]).toEqual([undefined, []]);
  });

  it('lets those that are left wait on when the version goes away, until it is ready again', () => {
    const { waiting, told, add, engine, turn, later, setReady } = setUp();
    for (let number = 1; number <= 300; number += 1) add('a', String(number));
    waiting.start('a');
    setReady(false);
    turn();
    expect([told.length, waiting.count, waiting.versionBehind(engine), later]).toEqual([256, 44, undefined, []]);
    setReady(true);
    waiting.start('a');
    expect([told.length, waiting.count]).toEqual([300, 0]);
  });

  it('hands nothing over any more to a version that fails meanwhile, nor those who leave', () => {
    const { waiting, told, add, engine, turn } = setUp();
    const leaves = Array.from({ length: 300 }, (_, index) => add('a', String(index + 1)));
    waiting.start('a');
    expect([leaves[0]!(), leaves[299]!()]).toEqual([false, true]);
    waiting.fail('a', unavailable('no'));
    expect([told.length, told.at(-1), waiting.count]).toEqual([299, '299: no', 0]);
    expect(waiting.versionBehind(engine)).toBeUndefined();
    add('a', 'later');
    turn();
    expect([told.length, waiting.count]).toEqual([299, 1]);
  });

  it('forgets a version when the last one leaves while they are handed over', () => {
    const { waiting, told, add, engine, turn } = setUp();
    const leaves = Array.from({ length: 257 }, (_, index) => add('a', String(index + 1)));
    waiting.start('a');
    expect([leaves[256]!(), waiting.has('a'), waiting.versionBehind(engine)]).toEqual([true, false, undefined]);
    turn();
    expect(told).toHaveLength(256);
  });

  it('lets those wait for the next turn that come while others start', () => {
    const { waiting, told, add, turn } = setUp();
    add('a', '1', () => add('a', 'again'));
    waiting.start('a');
    expect([told, waiting.count, waiting.has('a')]).toEqual([['1 starts'], 1, true]);
    turn();
    expect([told.at(-1), waiting.count]).toEqual(['again starts', 0]);
  });
});
