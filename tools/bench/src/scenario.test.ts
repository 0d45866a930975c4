import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { scenarioCase } from './cases.ts';
import { newSeries, sayingWhy, type Scenario } from './scenario.ts';

const playing = (own: Partial<Scenario> = {}): { scenario: Scenario; played: string[] } => {
  const played: string[] = [];
  const scenario: Scenario = {
    ...{ name: 'played', series: [newSeries('one', 'ms'), newSeries('two', 'ms')] },
    prepare: async () => void played.push('prepare'),
    run: async () => void played.push('run'),
    ...own,
  };
  return { scenario, played };
};

test.each([
  [undefined, [1, 2, 3]],
  ['first round', [1, 1, 1]],
  ['last round', [0, 0, 1]],
] as const)('a scenario is played in the rounds that it names: %s', async (plays, counts) => {
  const { scenario, played } = playing(plays === undefined ? {} : { plays });
  const one = scenarioCase(scenario, 3);
  for (const count of counts) {
    await one.run(1);
    expect(played).toHaveLength(count);
  }
});

test('one that cannot be measured says why in each of its rows, once, and fails nothing', async () => {
  const said: string[] = [];
  let tries = 0;
  const { scenario } = playing({
    run: async () => {
      tries++;
      throw new Error('no disk');
    },
  });
  const kept = sayingWhy(scenario, (line) => said.push(line));
  await kept.prepare();
  await kept.run();
  await kept.run();
  expect(tries).toBe(1);
  expect(said).toEqual(['played cannot be measured: no disk']);
  expect(scenario.series.map(({ problems }) => problems)).toEqual(Array(2).fill(['cannot be measured: no disk']));
});

test('one that cannot be prepared is not run', async () => {
  const { scenario, played } = playing({ prepare: () => Promise.reject(new Error('no database')) });
  const kept = sayingWhy(scenario, () => undefined);
  await kept.prepare();
  await kept.run();
  expect(played).toEqual([]);
  expect(scenario.series[0]!.problems).toEqual(['cannot be measured: no database']);
});

test('one that names processes is profiled in each, and what it measures meanwhile is no figure', async () => {
  expect(scenarioCase(playing().scenario, 3)).not.toHaveProperty('profile');
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 5); process.stdout.write("up")']);
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const { scenario, played } = playing({
    watched: async () => ({ child: child.pid! }),
    run: async () => {
      played.push('run');
      scenario.series[0]!.values.push(7);
      scenario.series[1]!.problems.push('late');
    },
  });
  scenario.series[0]!.values.push(1);
  const found = await scenarioCase(scenario, 3).profile!();
  expect([Object.keys(found), played]).toEqual([['child'], ['run']]);
  expect(scenario.series.map(({ values, problems }) => [values, problems])).toEqual([
    [[1], []],
    [[], []],
  ]);
});
