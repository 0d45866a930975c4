import { describe, expect, it } from 'vitest';
import { FleetStatistics } from './statistics.ts';
import type { RuntimeCounts, VersionCounts } from './statistics.ts';
import { sumOf } from './sum-statistics.ts';

const all = { name: '', version: '' };

/** What a runtime says of digits version 3 after so many requests, each a row and a batch of its own. */
function counts(
  requests: number,
  facts: { readonly version?: string; readonly size?: string; readonly last?: number } = {},
) {
  const of = (ns: number) => ({ count: String(requests), ns: String(ns * requests) });
  const phases = { computeInput: of(1), computeInfer: of(10), computeOutput: of(2) };
  const none = { count: '0', ns: '0' };
  const counted: VersionCounts = {
    name: 'digits',
    version: facts.version ?? '3',
    lastInference: String(facts.last ?? requests),
    inferenceCount: String(requests),
    executionCount: String(requests),
    inferenceStats: { success: of(100), fail: none, queue: of(5), ...phases, cacheHit: none, cacheMiss: none },
    batchStats: requests > 0 ? [{ batchSize: facts.size ?? '1', ...phases }] : [],
    memoryUsage: [],
    responseStats: {},
  };
  return counted;
}

/** A fleet whose runtimes are tests: what each answers, or that it does not. */
function fleet() {
  const answers = new Map<string, () => Promise<RuntimeCounts>>();
  const statistics = new FleetStatistics<string>((link) => answers.get(link)!());
  const says = (link: string, epoch: string, ...versions: VersionCounts[]): void => {
    answers.set(link, async () => ({ epoch, versions }));
  };
  const silent = (link: string): void => {
    answers.set(link, async () => Promise.reject(new Error('no answer')));
  };
  const collect = () => statistics.collect([...answers.keys()], all);
  const requests = (version = '3') => Number(statistics.total('digits', version).inferenceStats?.success?.count);
  return { answers, statistics, says, silent, collect, requests };
}

describe('FleetStatistics', () => {
  it('sums all runtimes, sizes of batches by size, and takes the latest inference', async () => {
    const { says, collect, statistics } = fleet();
    says('a', 'a1', counts(2, { last: 900 }));
    says('b', 'b1', counts(3, { size: '8', last: 700 }));
    await collect();
    const total = statistics.total('digits', '3');
    expect(total).toMatchObject({ name: 'digits', version: '3', lastInference: '900', inferenceCount: '5' });
    expect(total).toMatchObject({ executionCount: '5', memoryUsage: [], responseStats: {} });
    expect(total.inferenceStats).toMatchObject({
      success: { count: '5', ns: '500' },
      fail: { count: '0', ns: '0' },
      queue: { count: '5', ns: '25' },
      computeInput: { count: '5', ns: '5' },
      computeInfer: { count: '5', ns: '50' },
      computeOutput: { count: '5', ns: '10' },
    });
    expect(total.batchStats).toEqual([
      expect.objectContaining({ batchSize: '1', computeInfer: { count: '2', ns: '20' } }),
      expect.objectContaining({ batchSize: '8', computeInfer: { count: '3', ns: '30' } }),
    ]);
  });

  it('adds up what is larger than a number of JavaScript holds', async () => {
    const { says, collect, statistics } = fleet();
    const large = counts(1);
    const ns = String(2n ** 53n + 1n);
    says('a', 'a1', { ...large, inferenceStats: { ...large.inferenceStats!, success: { count: '1', ns } } });
    says('b', 'b1', { ...large, inferenceStats: { ...large.inferenceStats!, success: { count: '1', ns } } });
    await collect();
    expect(statistics.total('digits', '3').inferenceStats?.success?.ns).toBe(String(2n ** 54n + 2n));
  });

  it('has zeros of a version that nobody has run', () => {
    const total = fleet().statistics.total('digits', '9');
    expect(total).toMatchObject({ version: '9', inferenceCount: '0', lastInference: '0', batchStats: [] });
    expect(total.inferenceStats?.computeInfer).toEqual({ count: '0', ns: '0' });
  });

  it('counts a runtime that does not answer with what it said last, and once when it is back', async () => {
    const { says, silent, collect, requests } = fleet();
    says('a', 'a1', counts(5));
    says('b', 'b1', counts(1));
    await collect();
    silent('a');
    says('b', 'b1', counts(2));
    await collect();
    expect(requests()).toBe(7);
    says('a', 'a1', counts(6));
    await collect();
    expect(requests()).toBe(8);
  });

  it('keeps what a process had that has ended, also when the next has counted further already', async () => {
    const { says, collect, requests } = fleet();
    says('a', 'a1', counts(5));
    await collect();
    says('a', 'a2', counts(1));
    await collect();
    expect(requests()).toBe(6);
    says('a', 'a3', counts(50));
    await collect();
    expect(requests()).toBe(56);
  });

  it('keeps what a version had whose counts its process has forgotten', async () => {
    const { says, collect, requests } = fleet();
    says('a', 'a1', counts(5), counts(7, { version: '4' }));
    await collect();
    says('a', 'a1', counts(0), counts(8, { version: '4' }));
    await collect();
    says('a', 'a1', counts(2), counts(9, { version: '4' }));
    await collect();
    expect([requests(), requests('4')]).toEqual([7, 9]);
  });

  it('does not take an older answer that comes late for a new life', async () => {
    const { answers, says, collect, requests } = fleet();
    const { promise, resolve } = Promise.withResolvers<RuntimeCounts>();
    answers.set('a', () => promise);
    const slow = collect();
    says('a', 'a1', counts(5));
    await collect();
    resolve({ epoch: 'a1', versions: [counts(4)] });
    await slow;
    expect(requests()).toBe(5);
    says('a', 'a1', counts(6));
    await collect();
    expect(requests()).toBe(6);
  });

  it('drops versions that are no more, of processes that have ended too', async () => {
    const { says, collect, requests, statistics } = fleet();
    says('a', 'a1', counts(5), counts(2, { version: '4' }));
    await collect();
    says('a', 'a2', counts(1), counts(1, { version: '4' }));
    await collect();
    statistics.retain((key) => key === 'digits@4');
    expect([requests(), requests('4')]).toEqual([0, 3]);
  });

  it('takes no answer that is older than the last, larger or not', async () => {
    const { answers, says, collect, statistics } = fleet();
    const { promise, resolve } = Promise.withResolvers<RuntimeCounts>();
    answers.set('a', () => promise);
    const slow = collect();
    says('a', 'a1', counts(5, { last: 900 }));
    await collect();
    // Its counts do not tell that it is older.
    resolve({ epoch: 'a1', versions: [counts(5, { last: 800 })] });
    await slow;
    expect(statistics.total('digits', '3').lastInference).toBe('900');
  });

  it('adds up any number of processes, and remembers few of those that are gone one by one', async () => {
    const { says, collect, requests, statistics } = fleet();
    says('b', 'b1', counts(7));
    for (let life = 1; life <= 1_000; life += 1) {
      says('a', `a${life}`, counts(1));
      await collect();
    }
    expect(requests()).toBe(1_007);
    expect(statistics.processes).toBe(18);
  });

  it('knows all runtimes that were out of reach when they are back', async () => {
    const { answers, says, statistics, requests } = fleet();
    for (let index = 0; index < 40; index += 1) says(`r${index}`, `p${index}`, counts(2));
    const known = [...answers.keys()];
    await statistics.collect(known, all);
    await statistics.collect([], all, known);
    await statistics.collect(known, all);
    expect(requests()).toBe(80);
    // Those whose link is gone are as good as ended.
    await statistics.collect([], all, []);
    expect([requests(), statistics.processes]).toEqual([80, 16]);
  });

  it('knows which process is behind a link, also when the last of the one before comes late', async () => {
    const { answers, says, silent, collect, requests } = fleet();
    const { promise, resolve } = Promise.withResolvers<RuntimeCounts>();
    answers.set('a', () => promise);
    const slow = collect();
    says('a', 'a2', counts(2));
    await collect();
    resolve({ epoch: 'a1', versions: [counts(1)] });
    await slow;
    silent('a');
    for (let life = 1; life <= 20; life += 1) {
      says('b', `b${life}`, counts(1));
      await collect();
    }
    says('a', 'a2', counts(2));
    await collect();
    expect(requests()).toBe(23);
  });

  it('adds up many batches in little time', () => {
    const one = counts(1);
    const started = performance.now();
    const sum = sumOf(one, Array<VersionCounts>(50_000).fill(one));
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(sum.batchStats).toMatchObject([{ batchSize: '1', computeInfer: { count: '50000', ns: '500000' } }]);
  });
});
