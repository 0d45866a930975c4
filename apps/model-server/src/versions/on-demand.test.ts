import { describe, expect, it } from 'vitest';
import { notFound, SluiceError } from '@sluice/domain/errors';
import type { SequenceMark } from '@sluice/inference/sequence';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Engine } from '../serving/engine.ts';
import type { Assignment } from './assignment.ts';
import { OnDemand } from './on-demand.ts';
import type { ServedVersion } from './served-version.ts';
import type { ServingTable } from './serving-table.ts';

interface Fake {
  readonly assignment: Assignment;
  onDemand: boolean;
  engine?: Engine;
  demand(): void;
}
const assignmentOf = (version: number, sequences = false): Assignment =>
  ({
    ...{ model: 'm', version, aliases: [] },
    serving: sequences ? { sequenceBatching: {} } : {},
  }) as unknown as Assignment;
const mark = (id: bigint, start = false): SequenceMark => ({ id, start, end: false });

function setUp() {
  const done: string[] = [];
  const placed = new Map<string, Fake>();
  let there = true;
  const answers: ((assignment: Assignment | Promise<never>) => void)[] = [];
  const clock = new FakeClock();
  const table = {
    find: (_model: string, ref: string) => placed.get(`m/${ref}`),
    whyNot: () => notFound('not here'),
  } as unknown as ServingTable;
  const onDemand = new OnDemand({
    ...{ clock, table: () => table },
    version: (key) => (there ? (placed.get(key) as unknown as ServedVersion | undefined) : undefined),
    getAssignment: () => new Promise((resolve) => answers.push(resolve)),
    add: ({ version }) => void done.push(`add ${version}`),
    loadNext: () => void done.push('load'),
    defer: (fn) => fn(),
  });
  const place = (version: number, sequences = false): Fake => {
    const fake = {
      ...{ assignment: assignmentOf(version, sequences), onDemand: true },
      demand: () => void done.push(`demand ${version}`),
    };
    placed.set(`m/${version}`, fake);
    return fake;
  };
  const wait = (ref: string, sequence?: SequenceMark) =>
    onDemand.wait('m', ref, {
      sequence,
      start: () => void done.push('start'),
      fail: ({ kind, message }: SluiceError) => void done.push(`${kind}: ${message}`),
    });
  const answer = async (assignment: Assignment | Promise<never>): Promise<void> => {
    answers.shift()!(assignment);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  const forget = (): void => void (there = false);
  return { onDemand, clock, done, place, wait, answer, answers, forget };
}
const lost = expect.stringMatching(/^failed-precondition: m version 2: sequence lost: 7 /) as string;

describe('requests for versions that are not loaded', () => {
  it('demand a placed version, and ask for another, once', async () => {
    const { onDemand, done, place, wait, answer, answers } = setUp();
    place(1);
    wait('1');
    expect([done, onDemand.isAwaited('m/1')]).toEqual([['demand 1', 'load'], true]);
    wait('2');
    wait('2');
    expect([answers.length, onDemand.count]).toEqual([1, 3]);
    await answer(assignmentOf(2));
    expect(done.slice(2)).toEqual(['add 2']);
    expect(() => wait('champion')).toThrow('not here');
  });

  it('ask for a version that was taken away after the table was made', () => {
    const { done, place, wait, answers, forget } = setUp();
    place(1);
    forget();
    wait('1');
    expect([done, answers.length]).toEqual([[], 1]);
  });

  it('do not ask again and again for what the registry does not have, until there is news or a moment has passed', async () => {
    const { onDemand, clock, done, wait, answer, answers } = setUp();
    wait('9');
    await answer(Promise.reject(notFound('no such version')));
    expect(done).toEqual(['not-found: not here']);
    for (let time = 0; time < 100; time += 1) expect(() => wait('9')).toThrow('not here');
    expect([answers.length, onDemand.count]).toEqual([0, 0]);
    onDemand.news();
    wait('9');
    await answer(Promise.reject(new SluiceError('failed-precondition', 'quarantined')));
    expect(() => wait('9')).toThrow('quarantined');
    clock.advance(2_000);
    wait('9');
    await answer(assignmentOf(9));
    expect(done.slice(1)).toEqual(['failed-precondition: quarantined', 'add 9']);
  });

  it('load nothing for a sequence that nobody has started, of a placed version and of another', async () => {
    const { done, place, wait, answer } = setUp();
    place(1, true);
    expect(() => wait('1', mark(7n))).toThrow(/sequence lost: 7 /);
    expect(done).toEqual([]);
    wait('1', mark(7n, true));
    wait('1', mark(7n));
    expect(done).toEqual(['demand 1', 'load', 'demand 1', 'load']);
    wait('2', mark(7n));
    await answer(assignmentOf(2, true));
    expect(done.slice(4)).toEqual([lost]);
    wait('2', mark(7n));
    wait('2', mark(8n, true));
    wait('2', mark(8n));
    await answer(assignmentOf(2, true));
    expect(done.slice(5)).toEqual([lost, 'add 2']);
  });

  it('do not take a sequence for one where each request stands for itself', () => {
    const { done, place, wait } = setUp();
    place(1);
    wait('1', mark(7n));
    expect(done).toEqual(['demand 1', 'load']);
  });

  it('are told at once when the runtime is about to end, those that come too, and nothing is loaded', async () => {
    const { onDemand, done, place, wait, answer } = setUp();
    place(1);
    wait('1');
    wait('2');
    done.length = 0;
    onDemand.end();
    const over = 'unavailable: the version is not loaded, and this runtime is about to end; try again';
    expect(done).toEqual([over, over]);
    await answer(assignmentOf(2));
    for (const ref of ['1', '3']) expect(() => wait(ref)).toThrow(/about to end/);
    expect([done.length, onDemand.count]).toEqual([2, 0]);
  });
});
