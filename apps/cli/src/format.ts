import stringWidth from 'string-width';
import { type Timestamp, toIso } from './json.ts';

/** `2026-11-22 14:03:05Z`; '-' when there is none. */
export const showTime = (time: Timestamp | null | undefined): string =>
  time
    ? toIso(time)
        .replace('T', ' ')
        .replace(/\.\d+Z$/, 'Z')
    : '-';

/** `1.4 MiB`. */
export function showBytes(bytes: number | string): string {
  let value = Number(bytes);
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit += 1) value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]!}`;
}

/** `0.123 ms`, `1.50 s`. */
export function showMilliseconds(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms >= 100 ? ms.toFixed(0) : ms.toPrecision(3)} ms`;
}

/** `[batch, 64]`: names of dynamic dimensions where they have one, else -1. */
export function showShape(shape: readonly (number | string)[], names: readonly string[] = []): string {
  return `[${shape.map((size, index) => (Number(size) === -1 ? names[index] || '-1' : String(size))).join(', ')}]`;
}

/** `VERSION_STATE_READY` as `ready`. */
export function showEnum(value: string, prefix: string): string {
  return (value.startsWith(`${prefix}_`) ? value.slice(prefix.length + 1) : value).toLowerCase().replaceAll('_', ' ');
}

/**
 * A table for people: a line of headings in capitals and a line per row, two blanks apart, without borders, so that
 * it can be cut and searched. Ends without a line feed.
 */
export function showTable(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [headings.map((heading) => heading.toUpperCase()), ...rows].map((cells) =>
    cells.map((cell) => oneLine(String(cell))).map((text) => ({ text, width: stringWidth(text) })),
  );
  const widths = headings.map((_, column) =>
    lines.reduce((most, cells) => Math.max(most, cells[column]?.width ?? 0), 0),
  );
  const pad = ({ text, width }: { text: string; width: number }, column: number) =>
    text + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width));
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n');
}

/** Names and values under each other; those without a value are left out. */
export function showFields(fields: readonly (readonly [name: string, value: string | number | undefined])[]): string {
  const shown = fields.filter(([, value]) => value !== undefined && value !== '');
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown
    .map(([name, value]) => `${name.padEnd(width)}  ${indent(printable(String(value)), width + 2)}`)
    .join('\n');
}

const indent = (text: string, by: number) =>
  text
    .split('\n')
    .join(`\n${' '.repeat(by)}`)
    .replace(/ +$/gm, '');

/** `1 row`, `2 rows`. */
export const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Without control characters but line feeds: they would let a name or a model card rewrite the terminal. */

export const printable = (text: string): string => text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, ' ');

const oneLine = (text: string) => printable(text).replaceAll('\n', ' ');
