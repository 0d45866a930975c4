// `node --conditions=@sluice/source test/label.bench.ts [--rows 100000] [--rounds 3] [--payload 300]`: labels a second that a feedback in
// a process of its own joins over one stream, over the rows a second of pg-copy-streams from a prepared file of the evidence that they
// belong to into the same tables. Each label is looked up, checked, held against a captured answer of one of two arms, and stored with
// its outcome. Figures for a person to read; no test depends on them. Postgres is one of tests, which flushes nothing.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { labelService } from '@sluice/contracts/services';
import { BlockWriter } from '@sluice/evidence/block-writer';
import { emptyDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { startPostgres } from '@sluice/testkit/postgres';
import { copiedColumns } from '../src/store/copy-rows.ts';
import { context, idAt } from './evidence.ts';
import { Sender, Site } from './harness.ts';
import { scores, TaskRegistry } from './task-registry.ts';

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '100000' }, rounds: { type: 'string', default: '3' } },
});
const [rows, rounds] = [Number(values.rows), Number(values.rounds)];
const columns = copiedColumns.join(', ');
const blockBytes = 256 * 1024;
const itemsOfBatch = 1_000;

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const ids = Array.from({ length: rows }, (_, row) => idAt(Date.now() + row / 1_000));

/** Blocks as a router with two arms fills them; each answer is captured. */
function blocks(): Uint8Array[] {
  const arms = [new EncodedContext(context), new EncodedContext({ ...context, arm: 'mlp', servedArm: 'mlp' })];
  const answer = scores([0.2, 0.7, 0.1]);
  const all: Uint8Array[] = [];
  const writer = new BlockWriter(blockBytes);
  const timings = { queueMicros: 120, runMicros: 300, totalMicros: 500, batchRows: 16, costMicros: 18.75 };
  for (const [row, predictionId] of ids.entries()) {
    const draft = {
      ...emptyDraft(arms[row % 2]!),
      ...{ predictionId, receivedMs: Date.now(), answered: true, reason: 'weight' as const, timings, rows: 1 },
      ...{ sentMicros: 40, endedMicros: 900, runtime: 'runtime-1', caller: 'bench', requestId: `request-${row}` },
      ...{ response: [answer], responseState: 'captured' as const },
    };
    if (writer.append(draft)) continue;
    all.push(Buffer.from(writer.block));
    writer.clear();
    writer.append(draft);
  }
  if (writer.records > 0) all.push(Buffer.from(writer.block));
  return all;
}

async function timed(fn: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await fn();
  return (rows * 1_000) / (performance.now() - start);
}

const median = (figures: readonly number[]): number => figures.toSorted((a, b) => a - b)[figures.length >> 1]!;

const postgres = await startPostgres();
const site = await Site.open(postgres);
const registry = await TaskRegistry.open();
const folder = await mkdtemp(path.join(tmpdir(), 'sluice-label-bench-'));
const client = new pg.Client({ connectionString: site.serviceUrl });
try {
  const { address } = await site.spawn({ SLUICE_REGISTRY: registry.address });
  await client.connect();
  const prepared = blocks();
  const sender = await Sender.open(address);
  prepared.forEach((block, index) => sender.block(index + 1, block));
  await sender.acknowledged(prepared.length);
  sender.close();
  const file = path.join(folder, 'text');
  await pipeline(
    client.query(copyTo(`COPY (SELECT ${columns} FROM feedback.evidence) TO STDOUT`)),
    createWriteStream(file),
  );
  const copy = (): Promise<void> =>
    pipeline(createReadStream(file), client.query(copyFrom(`COPY feedback.evidence (${columns}) FROM STDIN`)));
  const labels = createRpcClient(labelService, address, { clock: systemClock });
  const join = async (): Promise<void> => {
    async function* batches() {
      for (let from = 0; from < rows; from += itemsOfBatch)
        yield {
          labels: ids.slice(from, from + itemsOfBatch).map((predictionId) => ({
            ...{ predictionId, source: 'bench', value: { name: 'b' } },
          })),
        };
    }
    for await (const { answers } of labels.streamLabels(batches()))
      if (answers.some(({ result }) => result !== 'ITEM_RESULT_JOINED')) throw new Error(JSON.stringify(answers[0]));
  };
  const found: Record<'copy' | 'join', number[]> = { copy: [], join: [] };
  for (let round = 0; round < rounds; round++) {
    await site.query('TRUNCATE feedback.evidence, feedback.label, feedback.outcome');
    await site.query('CHECKPOINT');
    found.copy.push(await timed(copy));
    await site.query('CHECKPOINT');
    // The joiner looks at what was copied, which has nothing to do with the labels that come.
    await eventually(async () => {
      const [left] = await site.query<{ left: number }>(
        `SELECT count(*)::int AS left FROM feedback.evidence, feedback.join_position WHERE recorded_xid >= evidence_xid`,
      );
      if (left!.left > 0) throw new Error('the joiner is behind');
    }, 120_000);
    found.join.push(await timed(join));
  }
  labels.close();
  print(`${rows} rows, a captured answer of 3 classes each, median of ${rounds}`);
  print(`labels joined over one stream        ${median(found.join).toFixed(0)} rows/s`);
  print(`pg-copy-streams of the evidence      ${median(found.copy).toFixed(0)} rows/s`);
  print(`join over copy                       ${(median(found.join) / median(found.copy)).toFixed(2)}`);
} finally {
  await client.end();
  await site.close();
  await registry.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
