import type { ExportRequest } from '@sluice/contracts/gen/sluice/feedback/v1/ExportRequest';
import type { ExportServiceMethods } from '@sluice/contracts/services';
import type { RpcClient } from '@sluice/rpc/client';
import { openTable } from '@sluice/tabular/formats';
import type { Format } from '@sluice/tabular/formats';
import { bytesInMemory } from '@sluice/tabular/reader';
import type { Value } from '@sluice/tabular/schema';

/** A whole file with its manifest. */
export interface Exported {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly manifest: Manifest;
  readonly last: { readonly rows: string; readonly bytes: string; readonly rowsExpected: string };
}

export interface Manifest {
  readonly horizon: string;
  readonly query: object;
  readonly file: { readonly format: string; readonly bytes: number; readonly sha256: string };
  readonly counts: {
    readonly rows: number;
    readonly labelled: number;
    readonly inputs: object;
    readonly outputs: object;
  };
  readonly versions: readonly object[];
  readonly subjects: { readonly count: number; readonly hashes: readonly string[] };
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** Takes a file to its end. */
export async function exported(client: RpcClient<ExportServiceMethods>, request: ExportRequest): Promise<Exported> {
  const chunks: Buffer[] = [];
  let last: Exported['last'] | undefined;
  let found: { manifestJson: string; digest: string } | null = null;
  for await (const { chunk, progress, manifest } of client.export(request)) {
    chunks.push(chunk);
    last = progress!;
    found = manifest;
  }
  const manifest = JSON.parse(found!.manifestJson) as Manifest;
  return { bytes: Buffer.concat(chunks), digest: found!.digest, manifest, last: last! };
}

/** Rows by the names of their columns, the same of Parquet and JSON Lines: small whole numbers, and times as text. Cells of CSV are text. */
export async function rowsOf(bytes: Uint8Array, format: Format): Promise<Record<string, Value>[]> {
  if (bytes.length === 0) return [];
  const table = await openTable(format, bytesInMemory(bytes));
  const rows: Record<string, Value>[] = [];
  for await (const portion of table.rows())
    for (const { values } of portion)
      rows.push(Object.fromEntries(table.columns.map(({ name }, index) => [name, plain(values![index]!)])));
  return rows;
}

function plain(value: Value): Value {
  if (value instanceof Date) return value.toISOString();
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return Array.isArray(value) ? (value as readonly Value[]).map(plain) : value;
}
