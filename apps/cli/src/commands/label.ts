import { createReadStream } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { ItemAnswer__Output } from '@sluice/contracts/gen/sluice/feedback/v1/ItemAnswer';
import { type CsvRecord, csvRecords } from '@sluice/tabular/csv-reader';
import { type CliContext, progress, show } from '../context.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';
import { plural } from '../format.ts';
import { type LabelMessage, rowReader } from '../label/read-rows.ts';
import { startBar } from '../push/progress-bar.ts';

export interface LabelFlags {
  readonly model: string;
  readonly source: string;
  readonly rejected?: string;
}

const itemsOfBatch = 500;
/** Bytes of one row, so that a batch is no larger than feedback takes: a quote that is never closed would be all of the file. */
const mostRowBytes = 131_072;
/** Refused rows that are shown; the file of `--rejected` has all. */
const mostShown = 20;

interface Refused extends CsvRecord {
  readonly status: string;
  readonly reason: string;
}

/** `sluice label FILE` */
export async function labelFile(context: CliContext, file: string, flags: LabelFlags): Promise<void> {
  const run = new LabelRun(context, flags);
  const bar = startBar(context, 'labelling', file === '-' ? 0 : await sizeOf(file));
  try {
    await run.send(await source(context, file, (bytes) => bar.add(bytes)));
  } catch (error) {
    if (run.hasAnswers) progress(context, `${run.summary()}: these are recorded; the same file may be sent again`);
    throw error;
  } finally {
    bar.stop();
    await run.close();
  }
  run.report();
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file);
  if (found.isDirectory()) throw usageError(`${file} is a folder`, 'Give a file of labels.');
  return found.size;
}

async function source(context: CliContext, file: string, onBytes: (count: number) => void): Promise<Readable> {
  if (file !== '-')
    return createReadStream(file).on('data', (chunk) => {
      onBytes(chunk.length);
    });
  const { input } = context.terminal;
  if (!input) throw usageError('standard input is a keyboard', 'Give a file, or send one: … | sluice label -');
  return Readable.from([Buffer.from(await input())]);
}

/** The way of a file's rows to feedback and of the answers back. */
class LabelRun {
  readonly #context: CliContext;
  readonly #flags: LabelFlags;
  readonly #counts = { labels: 0, joined: 0, waiting: 0, duplicate: 0, refused: 0 };
  readonly #shown: Refused[] = [];
  /** Batches that are not answered yet, in the order in which they were sent. */
  readonly #underWay: (readonly CsvRecord[])[] = [];
  #heading: readonly string[] = [];
  #rejected: FileHandle | undefined;

  constructor(context: CliContext, flags: LabelFlags) {
    this.#context = context;
    this.#flags = flags;
  }

  async send(bytes: Readable): Promise<void> {
    const { services, signal } = this.#context;
    for await (const { answers } of services.labels.streamLabels(this.#batches(bytes), { signal })) {
      const lines = this.#underWay.shift() ?? [];
      for (const [index, line] of lines.entries()) await this.#settle(line, answers[index]);
    }
  }

  get hasAnswers(): boolean {
    return this.#counts.labels > 0;
  }

  /** `1,000 labels: 990 joined, …` */
  summary(): string {
    const { labels, joined, waiting, duplicate, refused } = this.#counts;
    return `${plural(labels, 'label')}: ${joined} joined, ${waiting} waiting, ${duplicate} duplicate, ${refused} refused`;
  }

  report(): void {
    const refusals = this.#shown.map(({ line, status, reason }) => ({ line, status, reason }));
    show(this.#context, { ...this.#counts, refusals, rejected: this.#flags.rejected ?? null }, () => this.summary());
    for (const { line, status, reason } of refusals) progress(this.#context, `line ${line}: ${status} ${reason}`);
    const { refused } = this.#counts;
    if (refused === 0) return;
    if (refused > mostShown) progress(this.#context, `… and ${refused - mostShown} more`);
    const where =
      this.#flags.rejected === undefined ? '--rejected FILE writes them down.' : `They are in ${this.#flags.rejected}.`;
    throw new CliError(exitCodes.refused, `${plural(refused, 'label')} refused`, where);
  }

  async close(): Promise<void> {
    await this.#rejected?.close();
  }

  async *#batches(bytes: Readable): AsyncGenerator<{ labels: LabelMessage[] }, void, undefined> {
    let reader: ReturnType<typeof rowReader> | undefined;
    let [lines, labels]: [CsvRecord[], LabelMessage[]] = [[], []];
    for await (const line of csvRecords(bytes, mostRowBytes)) {
      if (!reader) {
        this.#heading = line.cells;
        reader = rowReader(line.cells, this.#flags);
        continue;
      }
      const label = reader(line.cells);
      if ('reason' in label) await this.#refuse(line, 'INVALID_ARGUMENT', label.reason);
      else {
        lines.push(line);
        labels.push(label);
      }
      if (labels.length < itemsOfBatch) continue;
      this.#underWay.push(lines);
      yield { labels };
      [lines, labels] = [[], []];
    }
    if (!reader) throw usageError('the file is empty', 'Its first line must name the columns.');
    if (labels.length === 0) return;
    this.#underWay.push(lines);
    yield { labels };
  }

  async #settle(line: CsvRecord, answer: ItemAnswer__Output | undefined): Promise<void> {
    switch (answer?.result) {
      case 'ITEM_RESULT_JOINED':
        this.#counts.joined += 1;
        break;
      case 'ITEM_RESULT_WAITING':
        this.#counts.waiting += 1;
        break;
      case 'ITEM_RESULT_DUPLICATE':
        this.#counts.duplicate += 1;
        break;
      default:
        return this.#refuse(line, answer?.status ?? 'INTERNAL', answer?.reason ?? 'feedback gave no answer');
    }
    this.#counts.labels += 1;
  }

  async #refuse(line: CsvRecord, status: string, reason: string): Promise<void> {
    this.#counts.labels += 1;
    this.#counts.refused += 1;
    if (this.#shown.length < mostShown) this.#shown.push({ ...line, status, reason });
    const { rejected } = this.#flags;
    if (rejected === undefined) return;
    if (!this.#rejected) {
      this.#rejected = await open(rejected, 'w');
      await this.#rejected.write(csvLine(['line', 'status', 'reason', ...this.#heading]));
    }
    await this.#rejected.write(csvLine([String(line.line), status, reason, ...line.cells]));
  }
}

const csvLine = (cells: readonly string[]): string => `${cells.map(csvCell).join(',')}\n`;

const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
