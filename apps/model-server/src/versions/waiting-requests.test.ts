import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import type { SequenceId, SequenceMark } from '@sluice/inference/sequence';
import type { Engine } from '../serving/engine.ts';
import { WaitingRequests } from './waiting-requests.ts';

const engine = {} as unknown as Engine;

function setUp() {
  const waiting = new WaitingRequests();
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
  return { waiting, told, add };
}

describe('WaitingRequests', () => {
  it('starts those of a version in the order in which they came, once', () => {
    const { waiting, told, add } = setUp();
    for (const name of ['1', '2', '3']) add('a', name);
    add('b', 'other');
    expect([waiting.count, waiting.has('a'), waiting.has('c')]).toEqual([4, true, false]);
    waiting.start('a', engine);
    waiting.start('a', engine);
    expect(told).toEqual(['1 starts', '2 starts', '3 starts']);
    expect([waiting.count, waiting.has('a')]).toEqual([1, false]);
  });

  it('tells all why a version does not come', () => {
    const { waiting, told, add } = setUp();
    add('a', '1');
    add('a', '2');
    waiting.fail('a', unavailable('no'));
    waiting.start('a', engine);
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
    waiting.start('a', engine);
    expect([two(), waiting.count]).toEqual([false, 0]);
    expect(told).toEqual(['2 starts']);
    const last = add('a', '3');
    expect([last(), waiting.has('a')]).toEqual([true, false]);
  });

  it('lets those wait anew that come while others start', () => {
    const { waiting, told, add } = setUp();
    add('a', '1', () => add('a', 'again'));
    waiting.start('a', engine);
    expect([told, waiting.count, waiting.has('a')]).toEqual([['1 starts'], 1, true]);
  });
});
