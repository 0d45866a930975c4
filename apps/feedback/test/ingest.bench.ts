// `npx nx bench feedback [-- --rows 100000] [--payload 0] [--subjects 0] [--rounds 3]`: rows a second that a feedback in a process of its own
// stores, over those of pg-copy-streams from a prepared file into the same tables. Figures for a person to read; no test depends on
// them. Postgres is one of tests, which flushes nothing: what a commit costs on a disk is not in them.
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { BlockWriter } from '@sluice/evidence/block-writer';
import { emptyDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import { startPostgres } from '@sluice/testkit/postgres';
import { copiedColumns } from '../src/store/copy-rows.ts';
import { context, idAt } from './evidence.ts';
import { Sender, Site } from './harness.ts';

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    payload: { type: 'string', default: '0' },
    // Payloads of so many subjects by turns, each under a key of its own; 0: of nobody.
    subjects: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '3' },
  },
});
const [rows, payload, rounds] = [Number(values.rows), Number(values.payload), Number(values.rounds)];
const subjects = Number(values.subjects);
const columns = copiedColumns.join(', ');
const blockBytes = 256 * 1024;

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** Blocks as a router with two arms fills them. */
function blocks(): Uint8Array[] {
  const arms = [new EncodedContext(context), new EncodedContext({ ...context, arm: 'mlp', servedArm: 'mlp' })];
  const all: Uint8Array[] = [];
  const writer = new BlockWriter(blockBytes);
  const timings = { queueMicros: 120, runMicros: 300, totalMicros: 500, batchRows: 16, costMicros: 18.75 };
  const request = payload === 0 ? undefined : Buffer.alloc(payload, 7);
  for (let row = 0; row < rows; row++) {
    const receivedMs = Date.now() + row / 1_000;
    const draft = {
      ...emptyDraft(arms[row % 2]!),
      ...{ predictionId: idAt(receivedMs), receivedMs, answered: true, reason: 'weight' as const, timings, rows: 1 },
      ...{ sentMicros: 40, endedMicros: 900, runtime: 'runtime-1', caller: 'bench', requestId: `request-${row}` },
      ...(request ? { request, requestState: 'captured' as const } : {}),
      ...(subjects > 0 ? { subject: `subject-${row % subjects}` } : {}),
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
const folder = await mkdtemp(path.join(tmpdir(), 'sluice-ingest-bench-'));
const client = new pg.Client({ connectionString: site.serviceUrl });
try {
  const { address } = await site.spawn({ SLUICE_LOG_LEVEL: 'info' });
  await client.connect();
  const prepared = blocks();
  const ingest = async (): Promise<void> => {
    const sender = await Sender.open(address);
    prepared.forEach((block, index) => sender.block(index + 1, block));
    await sender.acknowledged(prepared.length);
    sender.close();
  };
  const file = (format: string): string => path.join(folder, format);
  const copy = (format: string) => (): Promise<void> =>
    pipeline(
      createReadStream(file(format)),
      client.query(copyFrom(`COPY feedback.evidence (${columns}) FROM STDIN (FORMAT ${format})`)),
    );
  await ingest();
  for (const format of ['text', 'binary'])
    await pipeline(
      client.query(copyTo(`COPY (SELECT ${columns} FROM feedback.evidence) TO STDOUT (FORMAT ${format})`)),
      createWriteStream(file(format)),
    );
  const runs = { ingest, text: copy('text'), binary: copy('binary') };
  const found: Record<keyof typeof runs, number[]> = { ingest: [], text: [], binary: [] };
  for (let round = 0; round < rounds; round++)
    for (const name of ['ingest', 'text', 'binary'] as const) {
      await site.query('TRUNCATE feedback.evidence');
      await site.query('CHECKPOINT');
      found[name].push(await timed(runs[name]));
    }
  const figure = (name: keyof typeof runs): string => `${median(found[name]).toFixed(0)} rows/s`;
  print(`${rows} rows, payload ${payload} bytes, ${prepared.length} blocks, median of ${rounds}`);
  print(`ingest by a feedback of its own      ${figure('ingest')}`);
  print(`pg-copy-streams of a text file       ${figure('text')}`);
  print(`pg-copy-streams of a binary file     ${figure('binary')}`);
  print(`ingest over the text file            ${(median(found.ingest) / median(found.text)).toFixed(2)}`);
  print(`ingest over the binary file          ${(median(found.ingest) / median(found.binary)).toFixed(2)}`);
} finally {
  await client.end();
  await site.close();
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
}
