import { describe, expect, it } from 'vitest';
import { histogramSeries, writeFamilies } from './exposition.ts';
import type { ObservedFamily, Sample } from './exposition.ts';
import { Histogram, powersOfTwo } from './histogram.ts';
import { createMetrics } from './metrics.ts';

function family(name: string, samples: readonly Sample[]): ObservedFamily<unknown> {
  return { name, type: 'gauge', help: 'What it is', subjects: () => [0], samples: () => samples };
}

describe('the text of families', () => {
  it('has each series once, its own labels before the common ones', async () => {
    const labels = { model: 'team/digits', version: '3' };
    const families = [
      family('a', [{ labels, value: 1.5 }]),
      family('b', [
        { labels, value: 1e21 },
        { suffix: '_bucket', labels, le: '0.5', value: 2 },
        { labels: {}, value: 3 },
      ]),
      { ...family('none', []), subjects: () => [] },
    ];
    expect(await writeFamilies(families, { service: 'router', instance: 'r1' })).toBe(`# HELP a What it is
# TYPE a gauge
a{model="team/digits",version="3",service="router",instance="r1"} 1.5

# HELP b What it is
# TYPE b gauge
b{model="team/digits",version="3",service="router",instance="r1"} 1e+21
b_bucket{model="team/digits",version="3",le="0.5",service="router",instance="r1"} 2
b{service="router",instance="r1"} 3

# HELP none What it is
# TYPE none gauge

`);
    expect(await writeFamilies([family('c', [{ labels: {}, value: 0 }])], {})).toContain('\nc 0\n');
    expect(await writeFamilies([family('c', [{ labels: { a: 1 }, value: 0 }])], {})).toContain('\nc{a="1"} 0\n');
  });

  it('escapes what labels and help have in them, and writes what is no finite number', async () => {
    const samples = [Infinity, -Infinity, NaN].map((value, a) => ({ labels: { a, b: 'x"\\\ny' }, value }));
    const text = await writeFamilies([{ ...family('e', samples), help: 'two\nlines \\' }], {});
    expect(text).toContain('# HELP e two\\nlines \\\\\n');
    expect(text).toContain(
      'e{a="0",b="x\\"\\\\\\ny"} +Inf\ne{a="1",b="x\\"\\\\\\ny"} -Inf\ne{a="2",b="x\\"\\\\\\ny"} NaN\n',
    );
  });

  it.each([
    ['a quote"', 'a quote\\"'],
    ['a back\\slash', 'a back\\\\slash'],
    ['two\nlines', 'two\\nlines'],
  ])('escapes %j', async (value, written) => {
    expect(await writeFamilies([family('e', [{ labels: { a: value }, value: 1 }])], {})).toContain(
      `e{a="${written}"} 1`,
    );
  });

  it('has each subject once, whatever comes and goes meanwhile', async () => {
    const there = new Set(['a', 'b']);
    const samples = (subject: unknown): Sample[] => {
      there.delete('a');
      there.add('a');
      return [{ labels: { subject: String(subject) }, value: 1 }];
    };
    const text = await writeFamilies([{ ...family('f', []), subjects: () => there, samples }], {}, 0);
    expect(text.match(/^f\{.*$/gm)).toEqual(['f{subject="a"} 1', 'f{subject="b"} 1']);
  });

  it('has of a histogram its buckets, their bounds in the unit of the metric, its sum and its count', async () => {
    const buckets = powersOfTwo(20, 22);
    const histogram = new Histogram(buckets);
    for (const us of [5, 2 ** 21, 2 ** 22 + 1]) histogram.record(us);
    const series = histogramSeries(buckets.bounds, 1e-6);
    const text = await writeFamilies([family('h', series({ v: '1' }, histogram))], {});
    expect(text.split('\n').slice(2, -2)).toEqual([
      'h_bucket{v="1",le="1.048576"} 1',
      'h_bucket{v="1",le="2.097152"} 2',
      'h_bucket{v="1",le="4.194304"} 2',
      'h_bucket{v="1",le="+Inf"} 3',
      `h_sum{v="1"} ${histogram.sum * 1e-6}`,
      'h_count{v="1"} 3',
    ]);
  });

  it('is written in slices: others have their turn between the subjects of a family, and not within one', async () => {
    const order: string[] = [];
    const samples = function* (subject: unknown): Generator<Sample> {
      order.push(`from ${String(subject)}`);
      setImmediate(() => order.push(`a turn after ${String(subject)}`));
      yield { labels: {}, value: 1 };
      order.push(`to ${String(subject)}`);
    };
    const subjects = (): string[] => ['a', 'b'];
    const sliced = writeFamilies([{ ...family('f', []), subjects, samples }], {}, 0);
    await sliced;
    expect(order).toEqual(['from a', 'to a', 'a turn after a', 'from b', 'to b', 'a turn after b']);
    order.length = 0;
    await writeFamilies([{ ...family('f', []), subjects, samples }], {}, 60_000);
    expect(order).toEqual(['from a', 'to a', 'from b', 'to b']);
  });
});

describe('observed metrics', () => {
  it('have the labels of the service, and no series of what is not there any more', async () => {
    const metrics = createMetrics({ service: 's', instanceId: 'i', processMetrics: false });
    const placed = new Map([['1', 5]]);
    metrics.observe({
      name: 'of_versions',
      type: 'gauge',
      help: 'h',
      subjects: () => placed,
      samples: ([version, value]) => [{ labels: { version }, value }],
    });
    expect(await metrics.text()).toContain('of_versions{version="1",service="s",instance="i"} 5\n');
    placed.clear();
    expect(await metrics.text()).not.toContain('of_versions{');
  });

  it('have a name of their own', () => {
    const metrics = createMetrics({ service: 's', instanceId: 'i', processMetrics: false });
    metrics.gauge('known', 'h');
    metrics.observe({ ...family('observed', []) });
    for (const name of ['known', 'observed', 'sluice_requests_total', 'sluice_queue_length'])
      expect(() => metrics.observe(family(name, []))).toThrow(`there is a metric ${name} already`);
  });
});
