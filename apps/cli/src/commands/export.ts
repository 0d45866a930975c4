import type { LabelPolicy } from '@sluice/contracts/gen/sluice/feedback/v1/LabelPolicy';
import { type DataSetRef, dataSetText } from '@sluice/domain/data-set';
import { type Format, formatOfName } from '@sluice/tabular/formats';
import { startProgress } from '../batch/progress.ts';
import { exists, lock } from '../batch/run-files.ts';
import { type CliContext, progress, showJson } from '../context.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';
import { ExportFile, manifestPath } from '../export-file.ts';
import { plural, showBytes, showMilliseconds } from '../format.ts';
import { type Json, toJson } from '../json.ts';
import { momentMessage } from '../prediction-options.ts';
import { checkRegistrable, registerFile } from '../register-file.ts';
import { labelFilters, labelState, type RangeFlags, rangeOf, statusFilters } from './predictions.ts';

export interface ExportFlags extends RangeFlags {
  readonly output: string;
  readonly format?: Format;
  /** Empty: all. */
  readonly role: string;
  readonly status?: 'ok' | 'failed';
  readonly labelled?: true;
  readonly unlabelled?: true;
  readonly labels?: LabelPolicy;
  readonly payload: boolean;
  /** Empty: now. */
  readonly horizon: string;
  readonly dataSet?: string;
  readonly run?: string;
  readonly overwrite: boolean;
  readonly progress: boolean;
}

/** What the end of the stream says of the file. */
interface Manifest {
  readonly manifestJson: string;
  readonly digest: string;
  readonly rows: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

const wireFormats = {
  csv: 'EXPORT_FORMAT_CSV',
  jsonl: 'EXPORT_FORMAT_JSON_LINES',
  parquet: 'EXPORT_FORMAT_PARQUET',
} as const satisfies Record<Format, string>;

/** `sluice export MODEL --output FILE` */
export async function exportRows(context: CliContext, model: string, flags: ExportFlags): Promise<void> {
  const { output, dataSet, run } = flags;
  const begun = context.clock.monotonic();
  const format = flags.format ?? formatOfName(output);
  if (format === undefined)
    throw usageError(`the name of ${output} says no format`, 'Give --format csv, jsonl or parquet.');
  if (dataSet !== undefined) checkRegistrable(dataSet, []);
  else if (run !== undefined) throw usageError('--run says where the file comes from', 'Give --data-set too.');
  if (!flags.overwrite && (await exists(output)))
    throw usageError(`${output} is there already`, 'Give --overwrite to replace it.');
  const unlock = await lock(`${output}.lock`);
  try {
    const { manifest, bytes } = await write(context, model, format, flags);
    const registered =
      dataSet === undefined
        ? undefined
        : await register(context, { dataSet, run: run ?? '', output, format }, manifest);
    const seconds = (context.clock.monotonic() - begun) / 1_000;
    show(context, { output, manifest, bytes, registered, seconds });
  } finally {
    await unlock();
  }
}

/** Takes the stream to its end. The file has its name when it is whole and on disk. */
async function write(context: CliContext, model: string, format: Format, flags: ExportFlags) {
  const file = await ExportFile.create(flags.output);
  const shown = startProgress(context, `exporting ${model}`, flags.progress);
  try {
    let manifest: Manifest | undefined;
    const request = requestOf(context, model, format, flags);
    for await (const message of context.services.exports.export(request, { signal: context.signal })) {
      await file.write(message.chunk);
      const { rows = '0', rowsExpected = '0' } = message.progress ?? {};
      shown.update(Number(rows), Number(rowsExpected) === 0 ? 1 : Math.min(1, Number(rows) / Number(rowsExpected)));
      manifest = message.manifest ?? undefined;
    }
    if (!manifest) throw new CliError(exitCodes.unavailable, 'feedback ended before the file was whole: try again');
    await file.publish(manifest);
    return { manifest, bytes: file.bytes };
  } finally {
    shown.stop();
    await file.close();
  }
}

function requestOf(context: CliContext, model: string, format: Format, flags: ExportFlags) {
  const { status, labels, role, payload, horizon, dataSet } = flags;
  const range = { ...flags, from: flags.from ?? { agoMs: 86_400_000 } };
  return {
    ...rangeOf(context, model, range),
    // The horizon bounds what is there; clocks of routers may be a little ahead.
    to: momentMessage(flags.to ?? { agoMs: -60_000 }, context.clock.now()),
    ...{ format: wireFormats[format], role, withPayload: payload, horizon, dataSet: dataSet ?? '' },
    ...{ status: statusFilters[status ?? 'any'], label: labelFilters[labelState(flags)] },
    ...(labels && { labelPolicy: labels }),
  };
}

/** The registry has columns of its own: its copy of the manifest has none. */
function register(
  context: CliContext,
  to: { readonly dataSet: string; readonly run: string; readonly output: string; readonly format: Format },
  { manifestJson, digest, rows, columns }: Manifest,
): Promise<DataSetRef> {
  const manifest = JSON.parse(manifestJson) as Record<string, unknown>;
  delete manifest['columns'];
  return registerFile(context, {
    ...{ dataSet: to.dataSet, file: to.output, format: to.format, digest, rows: Number(rows), columns },
    ...{ parents: [], run: to.run, manifestJson: JSON.stringify(manifest) },
  });
}

interface Made {
  readonly output: string;
  readonly manifest: Manifest;
  readonly bytes: number;
  readonly registered: DataSetRef | undefined;
  readonly seconds: number;
}

function show(context: CliContext, { output, manifest, bytes, registered, seconds }: Made): void {
  const rows = Number(manifest.rows);
  if (context.json) {
    const document = { output: { file: output, rows, bytes, sha256: manifest.digest }, dataSet: registered, seconds };
    const json = toJson(document) as Record<string, Json>;
    showJson(context, { ...json, manifest: JSON.parse(manifest.manifestJson) as Json });
    return;
  }
  context.terminal.out(`${output}  ${plural(rows, 'row')}  ${showBytes(bytes)}  sha256:${manifest.digest}`);
  progress(context, `${manifestPath(output)} says what it is; it took ${showMilliseconds(seconds * 1_000)}`);
  if (registered) progress(context, `registered as ${dataSetText(registered)}`);
}
