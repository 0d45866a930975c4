import { describe, expect, it } from 'vitest';
import { documentedMetrics, exposedMetrics } from './metrics-page.ts';

const page = `# Metrics
## Every service
| metric | type | labels |
| --- | --- | --- |
| \`all_total\` | counter | \`method\`, \`code\` |
| \`process_*\`, \`nodejs_*\` | any | any |
## router
| \`of_router\` | gauge | none |
## registry
| \`of_registry\` | gauge | none |
`;

describe('the page of metrics', () => {
  it('has those of every service and of the one that is asked for', () => {
    expect([...documentedMetrics(page, 'router')]).toEqual([
      ['all_total', { type: 'counter', labels: ['code', 'method'] }],
      ['process_*', { type: 'any', labels: [] }],
      ['nodejs_*', { type: 'any', labels: [] }],
      ['of_router', { type: 'gauge', labels: [] }],
    ]);
  });
});

describe('a scrape', () => {
  const own = 'service="s",instance="i"';

  it('is read by family: type, labels and how many series there are', () => {
    const text = `# HELP h x
# TYPE h histogram
h_bucket{model="a,b=\\"c\\"",le="1",${own}} 1
h_sum{model="m",${own}} 1

# TYPE none counter
`;
    expect([...exposedMetrics(text)]).toEqual([
      ['h', { type: 'histogram', labels: ['model'], series: 2 }],
      ['none', { type: 'counter', labels: [], series: 0 }],
    ]);
  });

  it('is refused when series of one family differ in labels, or lack the common ones, or a family comes twice', () => {
    expect(() => exposedMetrics(`# TYPE g gauge\ng{a="1",${own}} 1\ng{b="1",${own}} 1\n`)).toThrow('other labels');
    expect(() => exposedMetrics('# TYPE g gauge\ng{service="s"} 1\n')).toThrow('no label instance');
    expect(() => exposedMetrics('# TYPE g gauge\n# TYPE g gauge\n')).toThrow('twice');
  });
});
