import { checkDataSetFacts, type DataSetRef, dataSetText } from '@sluice/domain/data-set';
import { type Column, describeSchema } from '@sluice/tabular/schema';
import type { CliContext } from '../context.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';
import { checkRegistrable, locationOf, registerFile } from '../register-file.ts';
import type { BatchModel } from './batch-model.ts';
import type { Finished } from './journal.ts';

/** What the registry is told of a run. */
export interface Registration {
  readonly dataSet: string;
  /** The version that the input is; undefined when nobody said. */
  readonly input: DataSetRef | undefined;
  /** The run of a pipeline that makes it; '' for none. */
  readonly run: string;
}

/** What is known of an output before it is made. */
export interface Planned {
  /** Of the input. */
  readonly sha256: string;
  readonly columns: readonly Column[];
  readonly file: string;
  readonly format: string;
  /** The output is whole: it may be registered already, and the pipeline's run have ended since. */
  readonly isFinished: boolean;
}

/**
 * Checks before a run what would be refused after it.
 *
 * @throws CliError usage when the input is not that version, or a column has a name that no data set can have; refused when the
 *   pipeline's run has ended
 * @throws SluiceError invalid-argument for other facts that no data set can have, such as too many columns
 */
export async function checkRegistration(
  context: CliContext,
  registration: Registration | undefined,
  { sha256, columns, file, format, isFinished }: Planned,
): Promise<void> {
  if (!registration) return;
  checkRegistrable(registration.dataSet, columns);
  const facts = { columns: describeSchema(columns), rowCount: undefined, location: locationOf(file), format };
  checkDataSetFacts({ digest: sha256, ...facts });
  if (registration.run !== '' && !isFinished) await checkRun(context, registration.run);
  const { input } = registration;
  if (!input) return;
  const found = await context.services.dataSets.getDataSetVersion(input, { signal: context.signal });
  if (found.version?.digest !== sha256)
    throw usageError(
      `--input-data-set: ${dataSetText(input)} has the digest ${found.version?.digest ?? ''}, the input ${sha256}`,
    );
}

async function checkRun(context: CliContext, id: string): Promise<void> {
  const { run } = await context.services.runs.getRun({ run: id }, { signal: context.signal });
  if (run?.state === 'RUN_STATE_RUNNING') return;
  throw new CliError(exitCodes.refused, `--run: ${id} has ended, so it makes nothing more`, 'Start another attempt.');
}

/** Registers the output; doing it again gives the same version. Returns its number. */
export async function register(
  context: CliContext,
  registration: Registration,
  run: {
    readonly model: BatchModel;
    readonly file: string;
    readonly format: string;
    readonly columns: readonly Column[];
    readonly finished: Finished;
    readonly input: { readonly sha256: string; readonly bytes: number };
  },
): Promise<DataSetRef> {
  const { model, finished } = run;
  const { dataSet, input } = registration;
  const manifest = {
    made_by: 'sluice batch',
    model: model.name,
    model_digest: model.digest,
    model_version: Number(model.version),
    input: { bytes: run.input.bytes, sha256: run.input.sha256 },
    rows_read: finished.rowsRead,
    rows_rejected: finished.rejects.rows,
  };
  return registerFile(context, {
    ...{ dataSet, file: run.file, format: run.format, digest: finished.output.sha256, rows: finished.output.rows },
    ...{ columns: describeSchema(run.columns), parents: input ? [input] : [], run: registration.run },
    manifestJson: JSON.stringify(manifest),
  });
}
