import { type Table, tableFromIPC, tableToIPC } from 'apache-arrow';
import { Table as WasmTable, readParquet, writeParquet, WriterPropertiesBuilder } from 'parquet-wasm/node';

export { Compression } from 'parquet-wasm/node';

/** Reads a file with the Rust implementation of Arrow: another hand than ours and that of our library. */
export const readForeign = (bytes: Uint8Array): Table => tableFromIPC(readParquet(bytes).intoIPCStream());

/** Writes a table with it. */
export function writeForeign(
  table: Table,
  change: (builder: WriterPropertiesBuilder) => WriterPropertiesBuilder = (builder) => builder,
): Uint8Array {
  const properties = change(new WriterPropertiesBuilder()).build();
  return writeParquet(WasmTable.fromIPCStream(tableToIPC(table, 'stream')), properties);
}
