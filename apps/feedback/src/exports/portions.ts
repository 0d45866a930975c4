import type { ExportedRecord } from './export.ts';

/** Of the payloads and rows of one portion, unless one record has more. */
export interface PortionBounds {
  readonly bytes: number;
  readonly rows: number;
}

const usual: PortionBounds = { bytes: 4 * 1024 ** 2, rows: 10_000 };

/** Cuts a page into portions whose payloads are opened at once, in their order. */
export function* portions(
  records: readonly ExportedRecord[],
  most: PortionBounds = usual,
): Generator<readonly ExportedRecord[]> {
  let portion: ExportedRecord[] = [];
  let [bytes, rows] = [0, 0];
  for (const record of records) {
    const isFull = bytes + record.payloadBytes > most.bytes || rows + record.rows > most.rows;
    if (isFull && portion.length > 0) {
      yield portion;
      portion = [];
      [bytes, rows] = [0, 0];
    }
    portion.push(record);
    bytes += record.payloadBytes;
    rows += record.rows;
  }
  if (portion.length > 0) yield portion;
}

/** Cuts the rows of a portion so that few labels are held at once: one span, but where a record has more rows than a portion should. */
export function* rowSpans(
  records: readonly ExportedRecord[],
  most = usual.rows,
): Generator<{ readonly from: number; readonly to: number }> {
  const longest = Math.max(...records.map(({ rows }) => rows));
  for (let from = 0; from < longest; from += most) yield { from, to: from + most };
}
