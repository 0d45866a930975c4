import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DataSetRef } from '@sluice/domain/data-set';
import { isVisibleName } from '@sluice/domain/model';
import { checkModelName } from '@sluice/domain/names';
import type { CliContext } from './context.ts';
import { CliError, exitCodes, usageError } from './exit-codes.ts';

/** A file that becomes a version of a data set. */
export interface RegistrableFile {
  readonly dataSet: string;
  readonly file: string;
  readonly format: string;
  /** SHA-256 of its bytes in hex. */
  readonly digest: string;
  readonly rows: number;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Versions that it was made from. */
  readonly parents: readonly DataSetRef[];
  /** The run of a pipeline that makes it; '' for none. */
  readonly run: string;
  readonly manifestJson: string;
}

/**
 * Checks before a file is made what the registry would refuse after it.
 *
 * @throws CliError usage for a column whose name no data set can have; SluiceError invalid-argument for the name of the data set
 */
export function checkRegistrable(dataSet: string, columns: readonly { readonly name: string }[]): void {
  checkModelName(dataSet, '--data-set', 'a name of a data set');
  const wrong = columns.find(({ name }) => !isVisibleName(name, 256));
  if (wrong)
    throw usageError(`--data-set: the column "${wrong.name}" has a name of other than 1 to 256 visible characters`);
}

/** Where a data set version says that a file lies. */
export const locationOf = (file: string): string => pathToFileURL(path.resolve(file)).href;

/** Registers a file that is in place for good; doing it again gives the same version. Returns its number. */
export async function registerFile(context: CliContext, given: RegistrableFile): Promise<DataSetRef> {
  const { dataSet, digest, format, rows: rowCount, columns, parents, run, manifestJson } = given;
  const { version } = await context.services.dataSets.createDataSetVersion(
    {
      ...{ dataSet, digest, columns: [...columns], rowCount, parents: [...parents], format, run, manifestJson },
      location: locationOf(given.file),
    },
    { signal: context.signal },
  );
  if (!version) throw new CliError(exitCodes.failed, 'the registry answered without a version of the data set');
  return { dataSet, version: Number(version.number) };
}
