import type { DataSetRef } from '@sluice/domain/data-set';
import { type Format, formats } from '@sluice/tabular/formats';
import { type Command, Option } from 'commander';
import { usageError } from '../exit-codes.ts';
import { list, positive, whole } from '../options.ts';
import { dataSetRef } from '../provenance-options.ts';
import type { BatchOptions } from './options.ts';

export interface BatchFlags {
  readonly output: string;
  readonly format?: Format;
  readonly inputFormat?: Format;
  readonly header: boolean;
  readonly modelVersion: string;
  readonly columns: readonly string[];
  readonly idColumn?: string;
  readonly outputs: readonly string[];
  readonly rows: number;
  readonly inFlight: number;
  readonly limit?: number;
  readonly timeout: number;
  readonly patience: number;
  readonly onError: 'stop' | 'skip';
  readonly checkpoint: number;
  readonly dataSet?: string;
  readonly inputDataSet?: DataSetRef;
  readonly run?: string;
  readonly restart: boolean;
  readonly overwrite: boolean;
  readonly progress: boolean;
}

const help = `
INPUT is CSV, JSON Lines or Parquet, of any size. Inputs of the model are columns by the names of its features, or one
column by the input's name with lists (in CSV: JSON in a cell), else columns by order.
OUTPUT has a row for each: what is passed on, input_row, prediction_id and row (labels go by these two), version, prediction,
class, probability, and the outputs. While it is made it is OUTPUT.partial, with OUTPUT.journal beside it: after an
interruption, a crash or a failure the same command goes on where it was.`;

/** Adds the options of `sluice batch`. */
export function addBatchOptions(command: Command): Command {
  return command
    .requiredOption('--output <file>', 'where the result goes')
    .addOption(new Option('--format <format>', 'of the output (default: by its name)').choices(formats))
    .addOption(new Option('--input-format <format>', 'of the input (default: by its name)').choices(formats))
    .option('--no-header', 'the CSV begins with data: columns by order')
    .addOption(
      new Option('--model-version <version>', 'a number or an alias, which is looked up once').default('', 'champion'),
    )
    .addOption(
      new Option('--columns <names>', 'columns of the input that the output has too, with commas between')
        .argParser(list)
        .default([], 'none'),
    )
    .option('--id-column <name>', 'the same for one column, which comes first')
    .addOption(
      new Option('--outputs <names>', 'outputs that are wanted, with commas between')
        .argParser(list)
        .default([], 'all'),
    )
    .addOption(
      new Option('--rows <number>', 'rows of one request')
        .argParser(whole(1))
        .default(0, 'as many as the version batches'),
    )
    .option('--in-flight <number>', 'requests at once, at most', whole(1), 4)
    .option('--limit <number>', 'only the first rows of the input', whole(1))
    .option('--timeout <seconds>', 'longest wait for one request', positive, 30)
    .option('--patience <seconds>', 'how long nothing may get through before it gives up', positive, 600)
    .addOption(
      new Option('--on-error <what>', 'a row that cannot be read, or that the version refuses')
        .choices(['stop', 'skip'])
        .default('stop'),
    )
    .addOption(
      new Option('--checkpoint <rows>', 'rows that may have to be scored again')
        .argParser(whole(1))
        .default(0, 'by time and size'),
    )
    .option('--data-set <name>', 'register the output as the next version of this data set')
    .option('--input-data-set <name@n>', 'the version that the input is, which is its parent then', dataSetRef)
    .option('--run <id>', 'the run of a pipeline that makes it, which is under way')
    .option('--restart', 'forget what an earlier run has done', false)
    .option('--overwrite', 'replace an output that is there', false)
    .option('--progress', 'lines of progress where standard error is no terminal', false)
    .addHelpText('after', help);
}

export function compileBatchOptions(flags: BatchFlags): BatchOptions {
  return {
    output: flags.output,
    format: flags.format,
    inputFormat: flags.inputFormat,
    header: flags.header,
    version: flags.modelVersion,
    columns: [...new Set([...(flags.idColumn === undefined ? [] : [flags.idColumn]), ...flags.columns])],
    outputs: flags.outputs,
    rowsPerRequest: flags.rows,
    inFlight: flags.inFlight,
    limit: flags.limit ?? Infinity,
    timeoutMs: flags.timeout * 1_000,
    patienceMs: flags.patience * 1_000,
    onError: flags.onError,
    checkpointRows: flags.checkpoint,
    registration: registrationOf(flags),
    restart: flags.restart,
    overwrite: flags.overwrite,
    progress: flags.progress,
  };
}

function registrationOf({ dataSet, inputDataSet: input, run }: BatchFlags): BatchOptions['registration'] {
  if (dataSet !== undefined) return { dataSet, input, run: run ?? '' };
  if (input !== undefined || run !== undefined)
    throw usageError('--input-data-set and --run say where the output comes from', 'Give --data-set too.');
  return undefined;
}
