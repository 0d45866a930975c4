import { configTable } from './config.ts';
import type { ConfigSpec } from './config.ts';

const begin = '<!-- settings -->';
const end = '<!-- /settings -->';

/**
 * The README with its table of settings as the spec has it: between `<!-- settings -->` and `<!-- /settings -->`. A test
 * compares it with the file: `expect(readme).toBe(withSettings(readme, spec))`. Columns are padded as oxfmt pads them.
 *
 * @throws Error when the markers are missing
 */
export function withSettings(readme: string, spec: ConfigSpec): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`the README needs the lines ${begin} and ${end}`);
  return `${readme.slice(0, from + begin.length)}\n\n${padded(configTable(spec))}\n\n${readme.slice(to)}`;
}

function padded(table: string): string {
  const rows = table.split('\n').map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
  const widths = rows[0]!.map((_, column) => Math.max(3, ...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) => {
      const cells = row.map((cell, column) =>
        cell === '---' ? '-'.repeat(widths[column]!) : cell.padEnd(widths[column]!),
      );
      return `| ${cells.join(' | ')} |`;
    })
    .join('\n');
}
