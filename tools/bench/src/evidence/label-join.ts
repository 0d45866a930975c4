import process from 'node:process';
import { labelService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { newSeries, type Scenario } from '../scenario.ts';
import type { FilledTable, Timed } from './filled-table.ts';
import { rowsPerSecond, timedProblems } from './ingest.ts';

export const labelJoinName = 'evidence/label-join';
/** Of one round: some seconds. */
const mostLabels = 20_000;
const batch = 1_000;
const classes = 10;

/**
 * Labels a second that feedback joins to rows of its tables and holds against their answers, over the rows a second of pg-copy-streams
 * of a prepared file of evidence: the yardstick of ingest. Labels go over one stream, in batches of 1,000, for rows of the slice before.
 */
export function labelJoin(table: () => Promise<FilledTable>): Scenario {
  const ratio = newSeries('evidence: label join, labels/s over rows/s of pg-copy-streams', 'ratio', {
    is: 'at least',
    value: 0.3,
  });
  const rate = newSeries('evidence: label join', 'labels/s');
  let unlabelled: readonly string[] = [];
  let rounds = 0;
  return {
    name: labelJoinName,
    series: [ratio, rate],
    prepare: async () => {
      const filled = await table();
      unlabelled = (await filled.copy()).ids;
      // A few first: their version is looked up at the registry once.
      await label(filled, (await filled.ingest()).ids.slice(0, batch));
    },
    watched: async () => ({ feedback: (await table()).pid }),
    run: async () => {
      const filled = await table();
      const ids = unlabelled.slice(0, mostLabels);
      const isFirst = rounds++ % 2 === 0;
      const before = isFirst ? await label(filled, ids) : undefined;
      const copy = await filled.copy();
      const labels = before ?? (await label(filled, ids));
      unlabelled = copy.ids;
      ratio.values.push(rowsPerSecond(labels) / rowsPerSecond(copy));
      rate.values.push(rowsPerSecond(labels));
      ratio.problems.push(...timedProblems([labels, copy]), ...(await unscored(filled, ids)));
    },
  };
}

/** @throws Error when one of them is not joined */
async function label({ address }: FilledTable, ids: readonly string[]): Promise<Timed> {
  const client = createRpcClient(labelService, address, { clock: systemClock, actor: 'bench' });
  const batches = Array.from({ length: Math.ceil(ids.length / batch) }, (_, index) =>
    ids.slice(index * batch, (index + 1) * batch).map((predictionId, row) => ({
      ...{ predictionId, source: 'bench' },
      value: { name: String(row % classes) },
    })),
  );
  const [begun, cpu] = [performance.now(), process.cpuUsage()];
  let joined = 0;
  try {
    for await (const { answers } of client.streamLabels(batches.map((labels) => ({ labels })))) {
      const other = answers.find(({ result }) => result !== 'ITEM_RESULT_JOINED');
      if (other) throw new Error(`a label was answered ${other.result}: ${other.status} ${other.reason}`);
      joined += answers.length;
    }
  } finally {
    client.close();
  }
  if (joined !== ids.length) throw new Error(`${joined} of ${ids.length} labels were answered`);
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { rows: ids.length, seconds, generatorShare: (user + system) / 1e6 / seconds, ids, interruptions: 0 };
}

/** Joined is not enough: each label must have been held against its answer. */
async function unscored({ client }: FilledTable, ids: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ scored: string }>(
    `SELECT count(*) AS scored FROM feedback.outcome WHERE state = 'scored' AND prediction_id = ANY ($1::uuid[])`,
    [ids],
  );
  const scored = Number(rows[0]!.scored);
  return scored === ids.length ? [] : [`${scored} of ${ids.length} labels were held against their answers`];
}
