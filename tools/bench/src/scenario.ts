import type { Target } from './statistics.ts';

/** One figure of something that is played through, run by run. */
export interface ScenarioSeries {
  readonly name: string;
  readonly unit: string;
  readonly target: Target | undefined;
  readonly values: number[];
  /** Why the figures are worth nothing; empty is good. */
  readonly problems: string[];
  /** The scenario that it is of, once that is to be played. */
  readonly of?: string;
}

/** Something that is played through once a round, and is no closed loop of requests. */
export interface Scenario {
  /** What `--only` is matched with. */
  readonly name: string;
  readonly series: readonly ScenarioSeries[];
  /** The rounds in which it is played; all without it. What takes minutes, or disturbs others, is played once. */
  readonly plays?: 'first round' | 'last round';
  prepare(): Promise<void>;
  run(): Promise<void>;
  /** Ids of the processes, by name, that a missed target is profiled in; known once it was played. */
  watched?(): Promise<Readonly<Record<string, number>>>;
}

export function newSeries(name: string, unit: string, target?: Target): ScenarioSeries {
  return { name, unit, target, values: [], problems: [] };
}

/**
 * The same scenario, which says in its rows why it cannot be measured, where it would fail the run. What failed once is not tried again.
 */
export function sayingWhy(scenario: Scenario, say: (line: string) => void): Scenario {
  let hasFailed = false;
  const attempt = async (step: () => Promise<void>): Promise<void> => {
    if (hasFailed) return;
    try {
      await step();
    } catch (error) {
      hasFailed = true;
      const why = `cannot be measured: ${error instanceof Error ? error.message : String(error)}`;
      say(`${scenario.name} ${why}`);
      for (const { problems } of scenario.series) problems.push(why);
    }
  };
  return {
    ...scenario,
    prepare: () => attempt(() => scenario.prepare()),
    run: () => attempt(() => scenario.run()),
  };
}

/** Shares of a core and times over which an open loop was not one. */
const generatorLimits = { share: 0.8, lateMs: 50 };

/** Why the times that an open loop measured are worth nothing. */
export function openLoopProblems(of: {
  readonly worstLateMs: number;
  readonly cpuSeconds: number;
  readonly seconds: number;
}): string[] {
  const share = of.cpuSeconds / of.seconds;
  const found: string[] = [];
  if (share > generatorLimits.share) found.push(`the generator used ${(share * 100).toFixed(0)} % of its core`);
  if (of.worstLateMs > generatorLimits.lateMs)
    found.push(`the generator sent a request ${of.worstLateMs.toFixed(0)} ms after it was due`);
  return found;
}
