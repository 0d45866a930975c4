import { generatorLimit } from '../measure.ts';
import { newSeries, type Scenario, type ScenarioSeries } from '../scenario.ts';
import { median } from '../statistics.ts';
import type { FilledTable, Timed } from './filled-table.ts';
import type { SlicePlan } from './sizes.ts';

export const ingestName = 'evidence/ingest';
/** Of the slices with subjects: one each for some predictions, as of users. */
const subjects = 1_000;

export const rowsPerSecond = ({ rows, seconds }: Timed): number => rows / seconds;

/** What makes the ratio of two rates invalid. */
export const timedProblems = (all: readonly Pick<Timed, 'generatorShare' | 'interruptions'>[]): string[] =>
  all.flatMap(({ generatorShare, interruptions }) => [
    ...(generatorShare > generatorLimit
      ? [`the generator used ${(generatorShare * 100).toFixed(0)} % of its core`]
      : []),
    ...(interruptions > 0 ? [`${interruptions} streams ended before all was stored`] : []),
  ]);

/**
 * Rows a second that a feedback of its own stores, over those of pg-copy-streams of a prepared file into the same tables, slice by
 * slice in turn. Each figure is the median of the slices of one group, of which there are as many as rounds.
 */
export function ingest(table: () => Promise<FilledTable>, plan: SlicePlan, say: (line: string) => void): Scenario {
  const name = 'evidence: ingest rows/s over pg-copy-streams of a prepared file';
  const plain = newSeries(name, 'ratio', { is: 'at least', value: 0.5 });
  const withSubjects = newSeries(`${name}, with ${subjects} subjects`, 'ratio');
  const rate = newSeries('evidence: ingest', 'rows/s');
  return {
    name: ingestName,
    series: [plain, withSubjects, rate],
    plays: 'first round',
    prepare: async () => {
      // The first slices of a process are slower: its code is not compiled yet.
      const filled = await table();
      await filled.ingest();
      await filled.copy();
    },
    run: async () => {
      const filled = await table();
      for (let group = 0; group < plan.groups; group++) {
        rate.values.push(
          await compare(filled, { slices: plan.slicesPerGroup, subjects: 0, isFirst: group % 2 === 0 }, plain),
        );
        await compare(filled, { slices: 1, subjects, isFirst: group % 2 === 0 }, withSubjects);
        say(`${ingestName}: ${group + 1} of ${plan.groups}: ${plain.values.at(-1)!.toFixed(2)}`);
      }
      await filled.settle();
    },
  };
}

/** @returns rows/s of ingest */
async function compare(
  table: FilledTable,
  { slices, subjects: of, isFirst }: { readonly slices: number; readonly subjects: number; readonly isFirst: boolean },
  into: ScenarioSeries,
): Promise<number> {
  const [ratios, rates] = [[] as number[], [] as number[]];
  for (let slice = 0; slice < slices; slice++) {
    const found: Partial<Record<'ingest' | 'copy', Timed>> = {};
    const order = isFirst === (slice % 2 === 0) ? (['ingest', 'copy'] as const) : (['copy', 'ingest'] as const);
    for (const side of order) found[side] = await table[side](of);
    const [own, copy] = [found.ingest!, found.copy!];
    ratios.push(rowsPerSecond(own) / rowsPerSecond(copy));
    rates.push(rowsPerSecond(own));
    into.problems.push(...timedProblems([own, copy]));
  }
  into.values.push(median(ratios));
  return median(rates);
}
