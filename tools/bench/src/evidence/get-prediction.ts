import { predictionService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { newSeries, type Scenario } from '../scenario.ts';
import { percentile } from '../statistics.ts';
import type { FilledTable } from './filled-table.ts';
import { daysTouched } from './plan.ts';

export const getPredictionName = 'evidence/get-prediction';
/** Of each side in a run of so many seconds: at some hundred a second, which is what a slow disk allows. */
const callsPerSecond = 700;
/** The sides take turns after so many. */
const turn = 50;

export interface GetPredictionOptions {
  /** Of one run. */
  readonly seconds: number;
  /** Rows that the tables have at least. */
  readonly rows: number;
}

type Side = 'rpc' | 'sql';

/**
 * p99 of GetPrediction without payload beyond that of a SELECT by id of the same columns over a connection of pg, both one call at a time, for
 * ids of all days. GetPrediction also reads labels, outcomes and what people said: that is in its time.
 */
export function getPrediction(table: () => Promise<FilledTable>, options: GetPredictionOptions): Scenario {
  const beyond = newSeries('evidence: p99 of GetPrediction without payload, beyond the SELECT through pg', 'ms more', {
    is: 'at most',
    value: 3,
  });
  const select = newSeries('evidence: p99 of a SELECT by id through pg', 'ms');
  const calls = Math.max(turn, Math.ceil((options.seconds * callsPerSecond) / turn) * turn);
  return {
    name: getPredictionName,
    series: [beyond, select],
    prepare: async () => {
      await table();
    },
    watched: async () => ({ feedback: (await table()).pid }),
    run: async () => {
      const filled = await table();
      await filled.fillTo(options.rows);
      const sides = await openSides(filled);
      try {
        // Connections, plans and what is looked up once.
        await Promise.all([sides.rpc(filled.ids[0]!), sides.sql(filled.ids[0]!)]);
        const times = await inTurns(sides, filled.ids, calls);
        beyond.values.push(percentile(times.rpc, 0.99) - percentile(times.sql, 0.99));
        select.values.push(percentile(times.sql, 0.99));
        beyond.problems.push(...(await planProblems(filled, sides.statement)));
      } finally {
        sides.close();
      }
    },
  };
}

interface Sides extends Readonly<Record<Side, (id: string) => Promise<void>>> {
  readonly statement: string;
  close(): void;
}

async function openSides({ address, client: database }: FilledTable): Promise<Sides> {
  const { rows } = await database.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = 'feedback' AND table_name = 'evidence' AND column_name NOT IN ('request', 'response')`,
  );
  const columns = rows.map(({ name }) => name).join(', ');
  const statement = `SELECT ${columns} FROM feedback.evidence
    WHERE class IN ('short', 'standard', 'long') AND prediction_id = $1`;
  const client = createRpcClient(predictionService, address, { clock: systemClock, actor: 'bench' });
  return {
    statement,
    rpc: async (predictionId) => {
      const { prediction } = await client.getPrediction({ predictionId });
      if (prediction?.attempts.length !== 1) throw new Error(`GetPrediction of ${predictionId} has not one attempt`);
    },
    sql: async (id) => {
      const { rowCount } = await database.query({ name: 'prediction', text: statement, values: [id] });
      if (rowCount !== 1) throw new Error(`the table has ${rowCount} rows of ${id}`);
    },
    close: () => client.close(),
  };
}

/** Each side reads ids that the other has not read: what is in memory already is so for both. */
async function inTurns(sides: Sides, ids: readonly string[], calls: number): Promise<Record<Side, number[]>> {
  const times: Record<Side, number[]> = { rpc: [], sql: [] };
  const pick = (): string => ids[Math.floor(Math.random() * ids.length)]!;
  for (let done = 0; done < calls; done += turn) {
    const order: readonly Side[] = (done / turn) % 2 === 0 ? ['rpc', 'sql'] : ['sql', 'rpc'];
    for (const side of order)
      for (let call = 0; call < turn; call++) {
        const id = pick();
        const begun = performance.now();
        await sides[side](id);
        times[side].push(performance.now() - begun);
      }
  }
  return times;
}

/** An id is of one day: of each class one partition is looked at, however many there are. */
async function planProblems({ client, ids }: FilledTable, statement: string): Promise<string[]> {
  const text = `EXPLAIN (FORMAT JSON) ${statement.replace('$1', `'${ids.at(-1)}'`)}`;
  const { rows } = await client.query<Record<'QUERY PLAN', unknown>>(text);
  const touched = daysTouched(rows[0]!['QUERY PLAN']);
  const found = Object.entries(touched).filter(([, days]) => days.length > 1);
  if (Object.keys(touched).length === 0) return ['EXPLAIN names no partition of evidence'];
  return found.map(([name, days]) => `a look-up by id touches ${days.length} partitions of class ${name}`);
}
