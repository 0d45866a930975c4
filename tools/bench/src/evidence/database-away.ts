import pg from 'pg';
import { generatorLimit } from '../measure.ts';
import { metricSum } from '../metrics-text.ts';
import { pause } from '../platform.ts';
import { residentBytes } from '../proc.ts';
import { newSeries, type Scenario } from '../scenario.ts';
import { scrape } from '../scrape.ts';
import type { Subject } from '../subject.ts';
import type { Workload } from '../workloads.ts';
import { applyCapture, drained, type DrainPorts } from './drained.ts';
import { growthAfter, type MemorySample } from './memory-growth.ts';
import { needsH2load, openLoad, refusalOf, type OpenLoad } from './open-load.ts';
import { ownerUrl, type DatabasePlace } from './own-feedback.ts';
import { stopPostgres } from './postgres-away.ts';
import { uuidV7 } from './records.ts';
import type { EvidenceSizes } from './sizes.ts';

export const databaseAwayName = 'evidence/database-away';
const perSecond = 2_000;
/** Requests come for so long before the database goes, and after it is back. */
const aroundSeconds = 5;
const looksEveryMs = 250;

export interface DatabaseAwayOptions extends DrainPorts, DatabasePlace {
  readonly folder: string;
  readonly h2load: boolean;
  readonly sizes: EvidenceSizes;
  readonly platformPid: number;
  /** Whose memory is watched. */
  readonly watched: Readonly<Record<'router' | 'feedback', number>>;
}

/**
 * Memory of router and feedback while the database is away and predictions go on: what it is at the end over what it was after the first
 * part of that time. Afterwards everything must have arrived.
 */
export function databaseAway(router: Subject, small: Workload, options: DatabaseAwayOptions): Scenario {
  const { awaySeconds, settledSeconds } = options.sizes;
  const names = Object.keys(options.watched) as (keyof typeof options.watched)[];
  const series = names.map((name) =>
    newSeries(
      `evidence: database away for ${awaySeconds} s at ${perSecond}/s: growth of the ${name} after the first ${settledSeconds} s`,
      'MB',
      { is: 'at most', value: 20 },
    ),
  );
  return {
    name: databaseAwayName,
    series,
    plays: 'last round',
    prepare: () => needsH2load(options),
    run: async () => {
      const { model } = small.plan;
      await applyCapture(model, { rate: 1, payload: 'default' }, options);
      try {
        const { samples, problems } = await playThrough(router, small, options);
        for (const [index, name] of names.entries()) {
          series[index]!.values.push(growthAfter(samples[name], settledSeconds, awaySeconds) / 1e6);
          series[index]!.problems.push(...problems);
        }
      } finally {
        await applyCapture(model, { rate: 0, payload: false }, options);
      }
    },
  };
}

interface Played {
  readonly samples: Readonly<Record<keyof DatabaseAwayOptions['watched'], readonly MemorySample[]>>;
  readonly problems: readonly string[];
}

async function playThrough(router: Subject, small: Workload, options: DatabaseAwayOptions): Promise<Played> {
  const { awaySeconds } = options.sizes;
  const [fromMs, before] = [Date.now(), await keptOf(options)];
  const job = { perSecond, seconds: awaySeconds + 2 * aroundSeconds, folder: options.folder };
  const loading = openLoad(router, small, job);
  // What it throws is thrown where it is waited for.
  loading.catch(() => undefined);
  await pause(aroundSeconds * 1000);
  const bringBack = await stopPostgres(options.platformPid, options);
  const samples = { router: [] as MemorySample[], feedback: [] as MemorySample[] };
  try {
    const begun = performance.now();
    for (let seconds = 0; seconds < awaySeconds; seconds = (performance.now() - begun) / 1000) {
      for (const name of ['router', 'feedback'] as const)
        samples[name].push({ seconds, bytes: residentBytes(options.watched[name]) });
      await pause(looksEveryMs);
    }
  } finally {
    await bringBack();
  }
  const load = await loading;
  // It has all that came meanwhile to store, and about as fast as that came.
  await drained(options, 0, 60_000 + awaySeconds * 1000);
  return { samples, problems: [...loadProblems(load, job), ...(await missing(options, fromMs, before))] };
}

function loadProblems(load: OpenLoad, job: { readonly perSecond: number; readonly seconds: number }): string[] {
  const refusal = refusalOf(load, job);
  const share = load.generatorCpuSeconds / load.seconds;
  return [
    ...(refusal === undefined ? [] : [refusal]),
    ...(share > generatorLimit ? [`the generator used ${(share * 100).toFixed(0)} % of its core`] : []),
  ];
}

/** What the router has kept and not dropped is in the table, each record once: its primary key sees to that. */
async function missing(options: DatabaseAwayOptions, fromMs: number, before: number): Promise<string[]> {
  const expected = (await keptOf(options)) - before;
  const client = new pg.Client({ connectionString: ownerUrl(options, 'sluice') });
  await client.connect();
  try {
    const { rows } = await client.query<{ stored: string }>(
      'SELECT count(*) AS stored FROM feedback.evidence WHERE prediction_id >= $1',
      [`${uuidV7(fromMs).slice(0, 13)}-0000-0000-000000000000`],
    );
    const stored = Number(rows[0]!.stored);
    return stored === expected ? [] : [`${stored} records are in the table, the router has kept ${expected}`];
  } finally {
    await client.end();
  }
}

async function keptOf({ metricsPort }: DrainPorts): Promise<number> {
  const samples = await scrape(metricsPort);
  const kept = metricSum(samples, 'sluice_router_evidence_records_total', { outcome: 'kept' });
  return kept - metricSum(samples, 'sluice_router_evidence_dropped_total', {});
}
