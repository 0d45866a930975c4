import { readFile } from 'node:fs/promises';
import { type CliContext, progress, showJson } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { plural, showMilliseconds } from '../format.ts';
import { judge, type Judgement, predictionOf, rowsOf, showJudgement } from '../infer/answers.ts';
import { planColumns } from '../infer/columns.ts';
import { type KnownModel, knownModel } from '../infer/model-spec.ts';
import { type PlannedRequest, runRequests } from '../infer/run-requests.ts';
import { rowAsJson, rowsAsCsv, rowsAsTable, type ShownRow } from '../infer/show-rows.ts';
import { type FileInput, formatOf, readCsv, readJson } from '../infer/table.ts';
import { tensorsOfJson, tensorsOfRows } from '../infer/tensors.ts';
import { toJson } from '../json.ts';

export interface InferCommandOptions {
  /** Number or alias; '' for the model's release. */
  readonly version: string;
  readonly inputFormat: string | undefined;
  readonly header: boolean;
  readonly labelColumn: string | undefined;
  readonly output: 'table' | 'csv' | 'json';
  readonly outputs: readonly string[];
  /** Rows of one request; 0 lets the program choose. */
  readonly rowsPerRequest: number;
  readonly inFlight: number;
  readonly limit: number;
  readonly timeoutSeconds: number;
}

/** Rows of a request when nobody says, at most. */
const defaultRows = 32;

interface Plan {
  readonly requests: readonly PlannedRequest[];
  /** The truth of each row; undefined without a label column. */
  readonly labels: readonly string[] | undefined;
}

/** `sluice infer MODEL [FILE]` */
export async function infer(
  context: CliContext,
  model: string,
  file: string | undefined,
  options: InferCommandOptions,
): Promise<void> {
  const input = await readInput(context, file, options);
  const known = await knownModel(context, model, options.version);
  const { requests, labels } = plan(context, known, input, options);
  const begun = context.clock.monotonic();
  const target = {
    model,
    version: options.version,
    outputs: options.outputs,
    timeoutMs: options.timeoutSeconds * 1000,
  };
  const answers = await runRequests(context, target, requests, options.inFlight);
  const tookMs = context.clock.monotonic() - begun;
  const taskOf = await tasksOf(context, model, known, options.version, answers);
  const rows: ShownRow[] = answers
    .flatMap((answer) => rowsOf(answer, known.batched))
    .map((row, index) => ({ ...row, prediction: predictionOf(row, taskOf(row.version)), label: labels?.[index] }));
  const judgement = labels && judge(rows.map(({ prediction, label }) => ({ prediction, label: label! })));
  print(context, model, rows, judgement, options, tookMs);
}

async function readInput(
  context: CliContext,
  file: string | undefined,
  options: InferCommandOptions,
): Promise<FileInput> {
  const format = formatOf(file, options.inputFormat);
  const content = file === undefined || file === '-' ? await readStandardInput(context) : await readFile(file, 'utf8');
  return format === 'json' ? readJson(content) : await readCsv(content, options.header);
}

function readStandardInput(context: CliContext): Promise<string> {
  const { input } = context.terminal;
  if (!input)
    throw usageError('no FILE, and nothing is piped in', 'Name a CSV or JSON file; sluice help infer says more.');
  return input();
}

function plan(context: CliContext, known: KnownModel, input: FileInput, options: InferCommandOptions): Plan {
  if (input.kind === 'tensors') {
    if (options.labelColumn !== undefined) throw usageError('--label-column needs rows, the file holds whole tensors');
    const tensors = tensorsOfJson(known, input.tensors);
    return { requests: [{ tensors, rows: known.batched ? (tensors[0]?.shape[0] ?? 0) : 1 }], labels: undefined };
  }
  const rows = input.rows.slice(0, options.limit);
  const { inputs, label, note } = planColumns(known, input.columns, rows[0]!.length, options.labelColumn);
  if (note) progress(context, note);
  const size = rowsPerRequest(known, options.rowsPerRequest);
  const columnName = (column: number) =>
    input.columns ? `column "${input.columns[column]!}"` : `column ${column + 1}`;
  const requests: PlannedRequest[] = [];
  for (let from = 0; from < rows.length; from += size) {
    const part = rows.slice(from, from + size);
    const nameOf = (row: number) => input.nameOf(from + row);
    requests.push({ tensors: tensorsOfRows(inputs, part, known.batched, nameOf, columnName), rows: part.length });
  }
  return { requests, labels: label === undefined ? undefined : rows.map((row) => String(row[label] ?? '')) };
}

function rowsPerRequest(known: KnownModel, asked: number): number {
  if (!known.batched) {
    if (asked > 1) throw usageError('--rows: this model has no batch dimension, so a request carries one row');
    return 1;
  }
  if (asked > 0) return asked;
  // Where admission found that rows influence each other they go one by one.
  if (known.isComplete && known.maxBatchSize === 0) return 1;
  return known.maxBatchSize > 0 ? Math.min(known.maxBatchSize, defaultRows) : defaultRows;
}

/** Tasks of the versions that answered: a release may split traffic over several. */
async function tasksOf(
  context: CliContext,
  model: string,
  known: KnownModel,
  asked: string,
  answers: readonly { readonly version: string }[],
): Promise<(version: string) => KnownModel['task']> {
  const versions = [...new Set(answers.map((answer) => answer.version))];
  if (!known.isComplete || versions.length === 0 || (versions.length === 1 && versions[0] === asked))
    return () => known.task;
  const tasks = new Map<string, KnownModel['task']>();
  for (const version of versions) {
    const found = await knownModel(context, model, version).catch(() => known);
    tasks.set(version, found.task);
  }
  return (version) => tasks.get(version);
}

function print(
  context: CliContext,
  model: string,
  rows: readonly ShownRow[],
  judgement: Judgement | undefined,
  options: InferCommandOptions,
  tookMs: number,
): void {
  const versions = [...new Set(rows.map((row) => row.version))];
  if (context.json || options.output === 'json') {
    showJson(context, {
      model,
      versions,
      ...(judgement ? { judgement: toJson(judgement) } : {}),
      rows: rows.map(rowAsJson),
    });
    return;
  }
  context.terminal.out(options.output === 'csv' ? rowsAsCsv(rows) : rowsAsTable(rows));
  const by = versions.length === 1 ? `version ${versions[0]!}` : `versions ${versions.join(', ')}`;
  progress(context, `${plural(rows.length, 'row')} by ${model} ${by} in ${showMilliseconds(tookMs)}`);
  if (judgement) progress(context, showJudgement(judgement));
}
