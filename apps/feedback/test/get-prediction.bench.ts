// `node --conditions=@sluice/source test/get-prediction.bench.ts [--rows 100000] [--calls 2000] [--rounds 3]`: how long GetPrediction by id takes without
// payload, over the SELECT that it is made of through `pg`: quantiles of both, one call at a time, over a table of so many records of several
// days and all classes. Figures for a person to read; no test depends on them.
import { parseArgs } from 'node:util';
import pg from 'pg';
import { predictionService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { startPostgres } from '@sluice/testkit/postgres';
import { attemptsById } from '../src/store/prediction-store.ts';
import { blockOfIds, idAt } from './evidence.ts';
import { Sender, Site } from './harness.ts';
import { startTestRegistry } from './registry.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    calls: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '3' },
  },
});
const [rows, calls, rounds] = [Number(values.rows), Number(values.calls), Number(values.rounds)];
const dayMs = 86_400_000;
const perBlock = 200;

/** Records of the last six days, in every class; returns some of their ids. */
async function fill(address: string): Promise<string[]> {
  const sender = await Sender.open(address);
  const ids: string[] = [];
  const blocks = Math.ceil(rows / perBlock);
  for (let block = 1; block <= blocks; block += 1) {
    const ofBlock = Array.from({ length: perBlock }, () => idAt(Date.now() - Math.random() * 6 * dayMs));
    const retentionClass = (['short', 'standard', 'long'] as const)[block % 3]!;
    sender.block(block, blockOfIds(ofBlock, { context: { retentionClass }, requestId: 'bench', endedMicros: 1_000 }));
    ids.push(ofBlock[0]!);
    if (block % 32 === 0) await sender.acknowledged(block);
  }
  await sender.acknowledged(blocks);
  sender.close();
  return ids;
}

/** Milliseconds of each call, ascending. */
async function timed(ids: readonly string[], call: (id: string) => Promise<unknown>): Promise<number[]> {
  const took: number[] = [];
  for (let index = 0; index < calls; index += 1) {
    const begin = performance.now();
    await call(ids[(index * 7919) % ids.length]!);
    took.push(performance.now() - begin);
  }
  return took.sort((left, right) => left - right);
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
const shown = (sorted: readonly number[]): string =>
  [0.5, 0.9, 0.99].map((share) => `p${share * 100} ${quantile(sorted, share).toFixed(2)} ms`).join(', ');

const postgres = await startPostgres();
const registry = await startTestRegistry({
  version: (model, number) => ({ model, number, digest: 'd'.repeat(64), revision: 1, manifestJson: '{}' }),
});
const site = await Site.open(postgres);
try {
  const { address } = await site.spawn({ SLUICE_REGISTRY: registry.address });
  const ids = await fill(address);
  await site.query('ANALYZE feedback.evidence');
  const client = createRpcClient(predictionService, address, { clock: systemClock });
  const pool = new pg.Pool({ connectionString: site.serviceUrl, max: 1 });
  const select = (id: string) => pool.query({ ...attemptsById, values: [id] });
  const get = (predictionId: string) => client.getPrediction({ predictionId });
  await timed(ids, select);
  await timed(ids, get);
  console.log(`${rows} records, ${calls} calls`);
  for (let round = 1; round <= rounds; round += 1) {
    const [plain, whole] = [await timed(ids, select), await timed(ids, get)];
    const more = quantile(whole, 0.99) - quantile(plain, 0.99);
    console.log(
      `SELECT ${shown(plain)}; GetPrediction ${shown(whole)}; p99 ${more >= 0 ? '+' : ''}${more.toFixed(2)} ms`,
    );
  }
  client.close();
  await pool.end();
} finally {
  await site.close();
  await registry.stop();
  await postgres.stop();
}
