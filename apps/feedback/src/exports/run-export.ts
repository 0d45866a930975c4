import { randomUUID } from 'node:crypto';
import type { Clock } from '@sluice/domain/clock';
import { describeSchema } from '@sluice/tabular/schema';
import type { Row, Value } from '@sluice/tabular/schema';
import { tableWriter } from '@sluice/tabular/formats';
import type { TableWriter } from '@sluice/tabular/writer';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import { evidenceContext } from '../payloads/payload-context.ts';
import { narrowed } from '../predictions/narrowed.ts';
import { checkExport } from './check-export.ts';
import type { ExportRequest } from './check-export.ts';
import { Chunks } from './chunks.ts';
import { recordColumns } from './columns.ts';
import type { ExportedRecord, ExportPlace, ExportReader, ExportSubjects, SealedPair, Truth } from './export.ts';
import { truthKey } from './export.ts';
import { mostHashes, RowCounts, writeManifest } from './manifest.ts';
import type { RecordCells } from './payload-cells.ts';
import { recordCells } from './payload-cells.ts';
import type { ExportPlan, PlanPorts } from './plan-export.ts';
import { layoutKey, planExport, tooSlow } from './plan-export.ts';
import { portions, rowSpans } from './portions.ts';

export interface ExportPorts extends PlanPorts {
  readonly reader: ExportReader;
  readonly subjects: ExportSubjects;
  readonly cipher: PayloadCipher;
  readonly clock: Clock;
}

/** What a caller is told, in its order; the manifest comes last. */
export interface ExportMessage {
  readonly chunk: Uint8Array;
  readonly rows: number;
  readonly bytes: number;
  readonly rowsExpected: number;
  readonly manifest?: {
    readonly json: string;
    readonly digest: string;
    readonly columns: ReturnType<typeof describeSchema>;
  };
}

const nothing = new Uint8Array(0);
/** Rows that are made at once. */
const rowsAtOnce = 500;
const [nameAt, numberAt] = [recordColumns.length + 2, recordColumns.length + 3];

/**
 * A file, piece by piece. Whoever takes them slowly holds one portion of records. Subjects with payloads in it are published before
 * the manifest is given; what was noted of them goes where the caller leaves early.
 *
 * @throws SluiceError invalid-argument; failed-precondition for what must be narrowed first; see `planExport`
 */
export async function* runExport(
  ports: ExportPorts,
  request: ExportRequest,
  signal: AbortSignal,
): AsyncGenerator<ExportMessage, void, undefined> {
  const { filter, horizon } = checkExport(request, ports.clock.now());
  const query = { ...filter, horizon: await ports.reader.horizon(horizon) };
  const plan = await planExport(ports, request, query, signal);
  const exportId = randomUUID();
  try {
    yield* new ExportRun(ports, request, plan, exportId).messages(signal);
  } finally {
    // What cannot be forgotten now goes with its time; how the export ended is what the caller is to hear.
    if (request.withPayload) await ports.subjects.discard(exportId).catch(() => undefined);
  }
}

class ExportRun {
  readonly #ports: ExportPorts;
  readonly #request: ExportRequest;
  readonly #plan: ExportPlan;
  readonly #exportId: string;
  readonly #chunks = new Chunks();
  readonly #counts = new RowCounts();
  readonly #writer: TableWriter;

  constructor(ports: ExportPorts, request: ExportRequest, plan: ExportPlan, exportId: string) {
    this.#ports = ports;
    this.#request = request;
    this.#plan = plan;
    this.#exportId = exportId;
    this.#writer = tableWriter(request.format, plan.columns, this.#chunks.sink);
  }

  async *messages(signal: AbortSignal): AsyncGenerator<ExportMessage, void, undefined> {
    let after: ExportPlace | undefined;
    do {
      signal.throwIfAborted();
      const { records, next } = await this.#asked(this.#ports.reader.page(this.#plan.query, after));
      for (const portion of portions(records)) yield* this.#portion(portion, signal);
      yield this.#message(nothing);
      after = next;
    } while (after);
    const written = await this.#writer.finish();
    yield* this.#made();
    yield await this.#end(written);
  }

  async *#portion(records: readonly ExportedRecord[], signal: AbortSignal): AsyncGenerator<ExportMessage> {
    const cells = this.#request.withPayload ? await this.#cellsOf(records) : undefined;
    for (const span of rowSpans(records)) {
      signal.throwIfAborted();
      const truths = await this.#asked(this.#ports.reader.truths(this.#plan.query, this.#plan.policy, records, span));
      const rows: Row[] = [];
      for (const [index, record] of records.entries())
        for (let row = span.from; row < Math.min(span.to, record.rows); row++) {
          const made = this.#row(record, row, truths.get(truthKey(record, row)), cells?.[index]);
          if (made) rows.push(made);
          if (rows.length === rowsAtOnce) yield* this.#write(rows.splice(0));
        }
      yield* this.#write(rows);
    }
  }

  async *#write(rows: readonly Row[]): AsyncGenerator<ExportMessage> {
    await this.#writer.write(rows);
    if (this.#writer.isFull) await this.#writer.flush();
    yield* this.#made();
  }

  *#made(): Generator<ExportMessage> {
    for (const chunk of this.#chunks.take()) yield this.#message(chunk);
  }

  #message(chunk: Uint8Array): ExportMessage {
    const { rowsExpected } = this.#plan;
    return { chunk, rows: this.#counts.rows, bytes: this.#chunks.bytes, rowsExpected };
  }

  /** Undefined for a row whose label state was not asked for. */
  #row(record: ExportedRecord, row: number, truth: Truth | undefined, cells: RecordCells | undefined): Row | undefined {
    const { label, model } = this.#plan.query;
    if (label !== 'any' && (label === 'labelled') !== (truth !== undefined)) return undefined;
    this.#counts.add(record, truth !== undefined, cells?.input, cells?.output);
    const made = new Array<Value>(this.#plan.columns.length).fill(null);
    const own: Row = [
      ...[record.predictionId, row, model, record.version, record.arm, record.attempt, record.role ?? null],
      ...[record.answered, record.status, new Date(record.receivedMs), record.keepProbability],
      ...[record.subjectHash ?? null, truth?.name ?? null, truth?.number ?? null, truth?.source ?? null],
      ...[date(truth?.labelledMs), date(truth?.recordedMs)],
    ];
    for (const [index, value] of own.entries()) made[index] = value;
    if (!cells) return made;
    made[recordColumns.length] = cells.input;
    made[recordColumns.length + 1] = cells.output;
    cells.fill(made, row);
    return made;
  }

  /** Opens the payloads of records: whose key is destroyed by now is erased, whatever was counted before. */
  async #cellsOf(records: readonly ExportedRecord[]): Promise<readonly RecordCells[]> {
    const { reader, cipher, subjects } = this.#ports;
    const stored = await this.#asked(reader.payloads(records));
    const opened = await cipher.openAll(records.flatMap((record, index) => sealed(record, stored[index]!)));
    let at = 0;
    const hashes = new Set<string>();
    const cells = records.map((record, index) => {
      const { request, response } = stored[index]!;
      const bytes = { request: request && opened[at++], response: response && opened[at++] };
      if (record.subjectHash !== undefined && (bytes.request ?? bytes.response)) hashes.add(record.subjectHash);
      return recordCells(
        this.#plan.layouts.get(layoutKey(record)),
        {
          rows: record.rows,
          request: { state: record.requestState, bytes: bytes.request },
          response: { state: record.responseState, bytes: bytes.response },
        },
        { name: nameAt, number: numberAt },
      );
    });
    // Before any of it is given.
    await subjects.add(this.#exportId, hashes);
    return cells;
  }

  async #end(written: Awaited<ReturnType<TableWriter['finish']>>): Promise<ExportMessage> {
    const { subjects } = this.#ports;
    const digest = this.#chunks.digest();
    const found = this.#request.withPayload ? await subjects.look(this.#exportId, mostHashes) : { count: 0, first: [] };
    if (found.count > 0) await subjects.publish(this.#exportId, digest, this.#request.dataSet);
    const facts = { request: this.#request, plan: this.#plan, counts: this.#counts, written, digest };
    const json = writeManifest({ ...facts, subjects: found });
    return { ...this.#message(nothing), manifest: { json, digest, columns: describeSchema(this.#plan.columns) } };
  }

  #asked<T>(answer: Promise<T>): Promise<T> {
    return narrowed(answer, 'a part of this export', tooSlow);
  }
}

const date = (ms: number | undefined): Date | null => (ms === undefined ? null : new Date(ms));

function sealed(record: ExportedRecord, { request, response, keyId }: SealedPair) {
  const context = (part: 'request' | 'response'): string => evidenceContext(record, record.arm, part);
  return [
    ...(request ? [{ keyId, bytes: request, context: context('request') }] : []),
    ...(response ? [{ keyId, bytes: response, context: context('response') }] : []),
  ];
}
