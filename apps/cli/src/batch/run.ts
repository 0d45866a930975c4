import type { FileSource } from '@sluice/tabular/file-source';
import { type Format, openTable, tableWriter } from '@sluice/tabular/formats';
import { placeOf, type Position, type TableReader } from '@sluice/tabular/reader';
import type { Column } from '@sluice/tabular/schema';
import type { TableWriter } from '@sluice/tabular/writer';
import { type CliContext, progress } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import type { BatchModel } from './batch-model.ts';
import type { Journal } from './journal.ts';
import type { BatchOptions } from './options.ts';
import type { RunProgress } from './progress.ts';
import { type ResultTable, resultTable } from './result-rows.ts';
import { columnsNeeded, planRows, preparedRows, type RowPlan } from './row-plan.ts';
import type { RunFiles } from './run-files.ts';
import { bytesPerRequest, rowsPerRequest, type ScoredRow, Scorer } from './score.ts';

/** Between two checkpoints at most, in milliseconds: a row group of Parquet that is ended early stays small for ever. */
const checkpointEveryMs: Readonly<Record<Format, number>> = { csv: 1_000, jsonl: 1_000, parquet: 60_000 };

/** What is to be done, once files and version are known. */
export interface RunTask {
  readonly context: CliContext;
  readonly source: FileSource;
  readonly inputFormat: Format;
  readonly outputFormat: Format;
  readonly model: BatchModel;
  readonly options: BatchOptions;
}

export interface Prepared {
  readonly table: TableReader;
  readonly plan: RowPlan;
  readonly result: ResultTable;
  /** Rows of one request. */
  readonly size: number;
}

/** Opens the input and decides which columns go where; of Parquet only those are read. */
export async function prepare(task: RunTask): Promise<Prepared> {
  const { source, inputFormat, model, options } = task;
  const open = (columns?: readonly string[]) =>
    openTable(inputFormat, source, { header: options.header, ...(columns && { columns }) });
  const all = await open();
  const first = planRows(model, all, options.columns);
  if (first.note !== '') progress(task.context, first.note);
  const table = inputFormat === 'parquet' ? await open(columnsNeeded(first, all)) : all;
  const plan = table === all ? first : planRows(model, table, options.columns);
  const size = rowsPerRequest(model, plan, options.rowsPerRequest);
  return { table, plan, size, result: resultTable(model, plan.carried, options.outputs) };
}

/** Where a run is: what it has read, and what it has written. */
export class BatchRun {
  readonly #task: RunTask;
  readonly #prepared: Prepared;
  readonly #files: RunFiles;
  readonly #writer: TableWriter;
  /** Undefined before the first row. */
  #after: Position | undefined;
  #rejected: number;
  #sinceCheckpoint = 0;
  /** While it writes, and after a write that failed: then nobody knows how much of it is in the files. */
  #isWriting = false;
  #checkpointMs: number;

  constructor(task: RunTask, prepared: Prepared, files: RunFiles, journal: Journal | undefined) {
    const last = journal?.checkpoints.at(-1);
    this.#task = task;
    this.#prepared = prepared;
    this.#files = files;
    this.#after = last?.after;
    this.#rejected = last?.rejects.rows ?? 0;
    this.#checkpointMs = task.context.clock.monotonic();
    const notes = journal?.checkpoints.map(({ output }) => output.note) ?? [];
    this.#writer = tableWriter(
      task.outputFormat,
      prepared.result.columns,
      (bytes) => files.writeOutput(bytes),
      last && { rows: last.output.rows, bytes: last.output.bytes, notes },
      task.options.checkpointRows > 0 ? { groupRows: task.options.checkpointRows } : {},
    );
  }

  get columns(): readonly Column[] {
    return this.#prepared.result.columns;
  }

  /** Rows of the input that are done with. */
  get rowsRead(): number {
    return this.#after?.rows ?? 0;
  }

  get rejects(): { readonly rows: number; readonly bytes: number } {
    return { rows: this.#rejected, bytes: this.#files.rejectBytes };
  }

  /**
   * Scores all that is left. Whatever ends it, the rows that are done are kept.
   *
   * @throws CliError usage naming the first row that has no answer, unless such rows are to be passed over
   */
  async run(shown: RunProgress): Promise<void> {
    const { context, model, options, source } = this.#task;
    const { plan, table, size } = this.#prepared;
    const rows = table.rows(this.#after);
    const left = options.limit - this.rowsRead;
    const scorer = new Scorer(context, model, plan, options);
    const portions = preparedRows(plan, rows, size, left, bytesPerRequest(options.rowsPerRequest));
    try {
      for await (const scored of scorer.score(portions)) {
        await this.#take(scored);
        shown.update(this.rowsRead, this.#share());
      }
    } finally {
      if (this.#sinceCheckpoint > 0 && !this.#isWriting) await this.#checkpoint();
    }
    if (await source.hasChanged()) throw usageError('the input was changed while it was read');
  }

  /** Writes the end. */
  finish(): ReturnType<TableWriter['finish']> {
    return this.#writer.finish();
  }

  async #take(scored: readonly ScoredRow[]): Promise<void> {
    const stop = this.#task.options.onError === 'stop' ? scored.findIndex(({ answer }) => !answer) : -1;
    const done = stop < 0 ? scored : scored.slice(0, stop);
    const { rowOf } = this.#prepared.result;
    this.#isWriting = true;
    await this.#writer.write(
      done.flatMap(({ prepared: row, answer }) => (answer ? [rowOf(row.carried, row.source.index, answer)] : [])),
    );
    const rejects = done.filter(({ answer }) => !answer);
    if (rejects.length > 0) await this.#files.writeRejects(rejects.map(rejectLine).join(''));
    this.#isWriting = false;
    this.#rejected += rejects.length;
    this.#sinceCheckpoint += done.length;
    this.#after = done.at(-1)?.prepared.source.after ?? this.#after;
    if (stop >= 0)
      throw usageError(
        scored[stop]!.problem,
        'With --on-error skip the same command goes on, and lists such rows in a file.',
      );
    if (this.#isDue()) await this.#checkpoint();
  }

  #isDue(): boolean {
    const { options, outputFormat, context } = this.#task;
    if (this.#writer.isFull || (options.checkpointRows > 0 && this.#sinceCheckpoint >= options.checkpointRows))
      return true;
    return context.clock.monotonic() - this.#checkpointMs >= checkpointEveryMs[outputFormat];
  }

  async #checkpoint(): Promise<void> {
    this.#isWriting = true;
    const output = await this.#writer.flush();
    await this.#files.append({ kind: 'checkpoint', after: this.#after!, output, rejects: this.rejects });
    this.#isWriting = false;
    this.#sinceCheckpoint = 0;
    this.#checkpointMs = this.#task.context.clock.monotonic();
  }

  #share(): number {
    const { limit } = this.#task.options;
    const { totalRows } = this.#prepared.table;
    const total = Math.min(totalRows ?? Infinity, limit);
    const byRows = Number.isFinite(total) ? this.rowsRead / Math.max(1, total) : 0;
    const byBytes = totalRows === undefined ? (this.#after?.offset ?? 0) / Math.max(1, this.#task.source.size) : 0;
    return Math.min(1, Math.max(byRows, byBytes));
  }
}

/** Names the row by its line, where there are lines, and says why. */
function rejectLine({ prepared: { source }, problem }: ScoredRow): string {
  const place = `${placeOf(source)}: `;
  const reason = problem.startsWith(place) ? problem.slice(place.length) : problem;
  return `${JSON.stringify({ row: source.index, ...(source.line > 0 && { line: source.line }), reason })}\n`;
}
