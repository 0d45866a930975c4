import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataSetVersion__Output } from '@sluice/contracts/gen/sluice/registry/v1/DataSetVersion';
import type { DataSetRef } from '@sluice/domain/data-set';
import { dataSetText } from '@sluice/domain/data-set';
import { type CliContext, show } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { plural, showFields, showTable, showTime } from '../format.ts';
import { dataSetOrNewest } from '../provenance-options.ts';
import { hashFiles } from '../push/collect-files.ts';
import { startBar } from '../push/progress-bar.ts';
import { allPages } from './models.ts';

export interface AddFlags {
  readonly digest?: string;
  readonly columns?: readonly { readonly name: string; readonly type: string }[];
  readonly rows?: number;
  readonly parent?: readonly DataSetRef[];
  readonly location?: string;
  readonly format?: string;
  readonly manifest?: string;
  readonly run?: string;
}

/** `sluice dataset add NAME [FILE]` */
export async function addDataSet(
  context: CliContext,
  dataSet: string,
  file: string | undefined,
  flags: AddFlags,
): Promise<void> {
  const { columns = [], rows, parent = [], location = '', run = '' } = flags;
  const request = {
    ...{ dataSet, location, run, columns: [...columns], parents: [...parent], requestId: randomUUID() },
    digest: await digestOf(context, file, flags.digest),
    format:
      flags.format ??
      path
        .extname(file ?? '')
        .slice(1)
        .toLowerCase(),
    manifestJson: flags.manifest === undefined ? '' : await readFile(flags.manifest, 'utf8'),
    ...(rows === undefined ? {} : { rowCount: rows }),
  };
  const answer = await context.services.dataSets.createDataSetVersion(request, { signal: context.signal });
  show(context, answer, () => {
    const name = nameOf(answer.version!);
    return answer.created ? `${name} is made` : `${name} says the same already; nothing was made`;
  });
}

async function digestOf(context: CliContext, file: string | undefined, digest: string | undefined): Promise<string> {
  if ((file === undefined) === (digest === undefined))
    throw usageError('give FILE or --digest, one of them', 'The digest is the SHA-256 of the bytes.');
  if (file === undefined) return digest!;
  const found = await stat(file);
  if (!found.isFile())
    throw usageError(`${file} is not a file`, 'Name one file, or give --digest and say in --manifest what it is of.');
  const bar = startBar(context, 'hashing', found.size);
  try {
    const [hashed] = await hashFiles(
      [{ path: file, source: file, size: found.size }],
      (bytes) => bar.add(bytes),
      context.signal,
    );
    return hashed!.sha256;
  } finally {
    bar.stop();
  }
}

const nameOf = ({ dataSet, number }: DataSetVersion__Output): string => `${dataSet}@${number}`;

/** `sluice dataset list [NAME]` */
export async function listDataSets(context: CliContext, name: string | undefined): Promise<void> {
  if (name !== undefined) return listVersions(context, name);
  const call = { signal: context.signal };
  const dataSets = await allPages(
    (pageToken) => context.services.dataSets.listDataSets({ pageToken, pageSize: 1000 }, call),
    (page) => page.dataSets,
  );
  show(context, dataSets, () =>
    dataSets.length === 0
      ? 'no data sets yet: sluice dataset add NAME FILE makes the first'
      : showTable(
          ['data set', 'versions', 'since', 'by'],
          dataSets.map((one) => [one.name, one.versionCount, showTime(one.createdAt), one.createdBy]),
        ),
  );
}

async function listVersions(context: CliContext, dataSet: string): Promise<void> {
  const call = { signal: context.signal };
  const versions = await allPages(
    (pageToken) => context.services.dataSets.listDataSetVersions({ dataSet, pageToken, pageSize: 1000 }, call),
    (page) => page.versions,
  );
  show(context, versions, () =>
    showTable(
      ['version', 'rows', 'digest', 'made', 'by', 'run', 'parents', 'location'],
      versions.map((one) => [
        ...[one.number, one.rowCount ?? '-', one.digest.slice(0, 12), showTime(one.createdAt), one.createdBy, one.run],
        ...[refs(one.parents).join(' '), one.location],
      ]),
    ),
  );
}

/** `sluice dataset show NAME[@N]` */
export async function showDataSet(context: CliContext, text: string): Promise<void> {
  const { version } = await context.services.dataSets.getDataSetVersion(dataSetOrNewest(text), {
    signal: context.signal,
  });
  show(context, version, () => describe(version!));
}

/** Everything of a data set version, for people. */
export function describe(version: DataSetVersion__Output): string {
  const columns = version.columns.map(({ name, type }) => (type === '' ? name : `${name}  ${type}`));
  const shown = columns.length > 50 ? [...columns.slice(0, 50), `… ${columns.length} in all`] : columns;
  return showFields([
    ['data set', nameOf(version)],
    ['digest', version.digest],
    ['rows', version.rowCount === undefined ? 'not counted' : plural(Number(version.rowCount), 'row')],
    ['format', version.format],
    ['location', version.location],
    ['made', `${showTime(version.createdAt)} by ${version.createdBy}`],
    ['run', version.run],
    ['parents', refs(version.parents).join('\n')],
    ['columns', shown.join('\n')],
    ['manifest', version.manifestJson],
  ]);
}

/** Data set versions as people write them. */
export const refs = (given: readonly { readonly dataSet: string; readonly version: string }[]): readonly string[] =>
  given.map(({ dataSet, version }) => dataSetText({ dataSet, version: Number(version) }));
