import type { BenchResult } from './bench.ts';
import { restName, seriesName } from './figures.ts';
import type { Row } from './row.ts';
import { rowsOf } from './rows.ts';
import { targetRows } from './targets.ts';
import { loadTable, memoryProfile, profile, rawTable, targetTable, textTable } from './table.ts';

/** What a person reads. */
export function report(result: BenchResult): string {
  const { figures, machine } = result;
  const rows = rowsOf(figures);
  const parts = [machine];
  if (figures.raw.length > 0) parts.push(rawTable(figures));
  if (figures.load.length > 0) {
    parts.push(loadTable(figures));
    parts.push(
      'req/s, p50, p99: medians of the runs. CPU: user and system time of the process. batch: rows per run, by the\n' +
        "model-server's own metrics. gen.: share of its core that the generator used; gen. ceiling: requests/s at 100 % of it.",
    );
  }
  const wanted = targetRows(figures);
  if (wanted.length > 0) parts.push(targetTable(wanted));
  const invalid = rows.filter((row) => !row.valid);
  if (invalid.length > 0) parts.push(`invalid:\n${invalid.map(problemLine).join('\n')}`);
  parts.push(...missedProfiles(rows, result));
  return `\n${parts.join('\n\n')}\n`;
}

function problemLine({ name, problems }: Row): string {
  const more = problems.length > 3 ? ` (and ${problems.length - 3} more)` : '';
  return `  ${name}: ${problems.slice(0, 3).join('; ')}${more}`;
}

/** A missed target stays in the table, with where the time went. */
function missedProfiles(rows: readonly Row[], { figures, profiles }: BenchResult): string[] {
  return rows.flatMap((row) => {
    const rest = figures.rest.find((one) => restName(one) === row.name);
    if (rest && row.verdict !== 'met') return [`${row.name}: ${row.verdict}.\n\n${memoryProfile(rest)}`];
    if (row.verdict === undefined || row.verdict === 'met' || row.of === undefined) return [];
    const series = figures.load.find((one) => seriesName(one) === row.of);
    const hot = Object.entries(profiles[row.of] ?? {}).map(([process, spots]) =>
      textTable(
        [`${process}: own time of its main thread`, 'share'],
        spots.map(({ where, share }) => [where, `${(share * 100).toFixed(1)} %`]),
      ),
    );
    const cpu = series === undefined ? [] : [profile(series)];
    if (cpu.length + hot.length === 0) return [];
    return [[`${row.name}: ${row.verdict}. Its profile:`, ...cpu, ...hot].join('\n\n')];
  });
}
