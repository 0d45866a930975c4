import { type DataSetRef, dataSetText } from '@sluice/domain/data-set';
import { FileSource } from '@sluice/tabular/file-source';
import { type Format, formatOfName } from '@sluice/tabular/formats';
import { describeSchema } from '@sluice/tabular/schema';
import { batchModel, checkOutputs } from '../batch/batch-model.ts';
import { checkRegistration, register } from '../batch/data-set.ts';
import { differenceOf, type Finished, hasBegun, type Journal, type RunIdentity } from '../batch/journal.ts';
import type { BatchOptions } from '../batch/options.ts';
import { sayReading, startProgress } from '../batch/progress.ts';
import { BatchRun, prepare, type Prepared, type RunTask } from '../batch/run.ts';
import {
  checkPlaces,
  cleanUp,
  exists,
  lock,
  pathsOf,
  publish,
  readJournal,
  RunFiles,
  type RunPaths,
  sha256Of,
} from '../batch/run-files.ts';
import { type CliContext, progress, showJson } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { plural, showBytes, showMilliseconds } from '../format.ts';
import { toJson } from '../json.ts';

/** What a run has come to. */
interface Summary {
  readonly model: string;
  readonly version: string;
  readonly input: { readonly file: string; readonly format: Format; readonly sha256: string; readonly bytes: number };
  readonly output: {
    readonly file: string;
    readonly format: Format;
    readonly rows: number;
    readonly bytes: number;
    readonly sha256: string;
    readonly schema: ReturnType<typeof describeSchema>;
  };
  /** The version that the output is in the registry; undefined without `--data-set`. */
  readonly dataSet: DataSetRef | undefined;
  readonly rowsRead: number;
  /** Rows that earlier runs had done. */
  readonly resumedAt: number;
  readonly rejected: number;
  /** The file that lists them; '' when there are none. */
  readonly rejects: string;
  readonly seconds: number;
}

/** `sluice batch MODEL INPUT --output OUTPUT` */
export async function batch(context: CliContext, model: string, input: string, options: BatchOptions): Promise<void> {
  if (input === '-')
    throw usageError('standard input cannot be scored by batch: name a file', 'sluice infer reads it.');
  const inputFormat = formatFor(input, options.inputFormat, '--input-format');
  const outputFormat = formatFor(options.output, options.format, '--format');
  const paths = pathsOf(options.output);
  const source = await FileSource.open(input);
  try {
    await checkPlaces(input, paths);
    const unlock = await lock(paths.lock);
    try {
      await runLocked(context, model, { source, inputFormat, outputFormat, options, paths });
    } finally {
      await unlock();
    }
  } finally {
    await source.close();
  }
}

function formatFor(file: string, asked: Format | undefined, option: string): Format {
  const format = asked ?? formatOfName(file);
  if (format === undefined)
    throw usageError(`the name of ${file} says no format`, `Give ${option} csv, jsonl or parquet.`);
  return format;
}

type Files = Pick<RunTask, 'source' | 'inputFormat' | 'outputFormat' | 'options'> & { readonly paths: RunPaths };

async function runLocked(context: CliContext, name: string, files: Files): Promise<void> {
  const begun = context.clock.monotonic();
  const { source, options, paths, inputFormat, outputFormat } = files;
  const identity = await identityOf(context, name, files);
  const left = options.restart ? undefined : await readJournal(paths.journal);
  const journal = left && hasBegun(left) ? left : undefined;
  await checkOutput(identity, journal, files);
  const model = await batchModel(context, name, journal?.header.version ?? options.version);
  checkOutputs(model, options.outputs);
  const task: RunTask = { context, source, inputFormat, outputFormat, model, options };
  const prepared = await prepare(task);
  const { columns } = prepared.result;
  await checkRegistration(context, options.registration, {
    ...{ sha256: identity.input.sha256, columns, file: paths.output, format: outputFormat },
    isFinished: journal?.finished !== undefined,
  });
  const resumedAt = journal?.checkpoints.at(-1)?.after.rows ?? 0;
  if (resumedAt > 0) progress(context, `going on after ${plural(resumedAt, 'row')}`);
  const finished = journal?.finished ?? (await scoreAll(task, prepared, identity, journal, paths));
  await publish(paths, finished.output.bytes, options.overwrite);
  const dataSet =
    options.registration &&
    (await register(context, options.registration, {
      ...{ model, columns, finished, file: paths.output, format: outputFormat, input: identity.input },
    }));
  await cleanUp(paths, finished.rejects);
  const { rows, bytes, sha256 } = finished.output;
  const schema = describeSchema(columns);
  show(context, {
    model: name,
    version: model.version,
    input: { file: source.path, format: inputFormat, sha256: identity.input.sha256, bytes: source.size },
    output: { file: paths.output, format: outputFormat, rows, bytes, sha256, schema },
    dataSet,
    rowsRead: finished.rowsRead,
    resumedAt,
    rejected: finished.rejects.rows,
    rejects: finished.rejects.rows > 0 ? paths.rejects : '',
    seconds: (context.clock.monotonic() - begun) / 1_000,
  });
}

async function identityOf(context: CliContext, model: string, files: Files): Promise<RunIdentity> {
  const { source, options, inputFormat, outputFormat } = files;
  sayReading(context, source.path, source.size);
  const sha256 = await sha256Of(source, () => {
    if (context.signal.aborted) throw new Error('interrupted');
  });
  return {
    model,
    asked: options.version,
    input: { sha256, bytes: source.size, format: inputFormat, header: options.header },
    output: { format: outputFormat, columns: options.columns, outputs: options.outputs },
    limit: Number.isFinite(options.limit) ? options.limit : null,
  };
}

/** @throws CliError usage when an earlier run was of something else, or somebody's file would be replaced */
async function checkOutput(identity: RunIdentity, journal: Journal | undefined, files: Files): Promise<void> {
  const { options, paths } = files;
  const difference = journal ? differenceOf(journal.header.identity, identity) : '';
  if (difference !== '') {
    throw usageError(
      `${paths.journal} is of another run: ${difference}`,
      'Give the same arguments to go on with it, or --restart to begin anew.',
    );
  }
  if (!journal?.finished && !options.overwrite && (await exists(paths.output)))
    throw usageError(`${paths.output} is there already`, 'Give --overwrite to replace it.');
}

async function scoreAll(
  task: RunTask,
  prepared: Prepared,
  identity: RunIdentity,
  journal: Journal | undefined,
  paths: RunPaths,
): Promise<Finished> {
  const { context, model, options } = task;
  const files = journal ? await RunFiles.resume(paths, journal) : await RunFiles.create(paths);
  const shown = startProgress(context, `scoring with ${model.name} version ${model.version}`, options.progress);
  try {
    if (!journal) await files.append({ kind: 'run', identity, version: model.version });
    const run = new BatchRun(task, prepared, files, journal);
    try {
      await run.run(shown);
    } catch (error) {
      shown.stop();
      progress(context, `${plural(run.rowsRead, 'row')} done; the same command goes on from there`);
      throw error;
    }
    const { rows, bytes } = await run.finish();
    const finished: Finished = {
      kind: 'finished',
      rowsRead: run.rowsRead,
      output: { rows, bytes, sha256: await digestOf(paths.partial) },
      rejects: run.rejects,
    };
    await files.append(finished);
    return finished;
  } finally {
    shown.stop();
    await files.close();
  }
}

async function digestOf(path: string): Promise<string> {
  const file = await FileSource.open(path);
  try {
    return await sha256Of(file);
  } finally {
    await file.close();
  }
}

function show(context: CliContext, summary: Summary): void {
  if (context.json) {
    showJson(context, toJson(summary));
    return;
  }
  const { output, dataSet } = summary;
  context.terminal.out(
    `${output.file}  ${plural(output.rows, 'row')}  ${showBytes(output.bytes)}  sha256:${output.sha256}`,
  );
  const took = showMilliseconds(summary.seconds * 1_000);
  progress(context, `${plural(summary.rowsRead, 'row')} by ${summary.model} version ${summary.version} in ${took}`);
  if (dataSet) progress(context, `registered as ${dataSetText(dataSet)}`);
  if (summary.rejected > 0)
    progress(context, `${plural(summary.rejected, 'row')} not scored: ${summary.rejects} says why`);
}
