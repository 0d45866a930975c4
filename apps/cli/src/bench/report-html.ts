import { showBytes, showMilliseconds } from '../format.ts';
import { failureCount } from './generator/tally.ts';
import { escapeText } from './markup.ts';
import { linePlot, type Plot, type Series, stackedPlot } from './plot.ts';
import { type BenchReport, levelName } from './report.ts';
import { showCeiling } from './report-text.ts';
import type { BenchRow } from './rows.ts';

/** The report as one page that needs nothing beside it: no script, no font, no network. */
export function htmlOf(report: BenchReport): string {
  const title = `sluice bench: ${report.plan.model}`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>${escapeText(title)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeText(title)}</h1>
${verdict(report)}
<div class="plots">
${plots(report).join('\n')}
</div>
<h2>Levels</h2>
${levelTable(report)}
<h2>Settings</h2>
${fieldTable(settings(report))}
<h2>Machine of the generator</h2>
${fieldTable(machine(report))}
</body>
</html>
`;
}

function verdict({ rows, interrupted }: BenchReport): string {
  const notes = rows.flatMap((row) =>
    row.notes.map((note) => `<li>${escapeText(`${String(row.level)}: ${note}`)}</li>`),
  );
  const head = interrupted
    ? '<p class="bad">Stopped before it was done: this is what was measured until then.</p>'
    : '';
  return `${head}${notes.length === 0 ? '<p>Every row is sound.</p>' : `<ul class="notes">${notes.join('')}</ul>`}`;
}

function plots(report: BenchReport): string[] {
  const rows = report.rows.toSorted((one, other) => one.level - other.level);
  const xLabel = levelName(report.plan) === 'Concurrency' ? 'requests in flight' : 'requests/s, scheduled';
  const base = {
    xLabel,
    levels: rows.map((row) => row.level),
    isInvalid: rows.map((row) => row.marks.includes('invalid')),
  };
  const series = (name: string, of: (row: BenchRow) => number | undefined): Series => ({ name, values: rows.map(of) });
  const percents = rows[0]?.latency.percentiles.map(({ percent }) => percent) ?? [];
  const throughput: Plot = {
    ...base,
    title: 'Throughput',
    yLabel: 'rows/s',
    series: [series('rows/s', (row) => row.inferencesPerSecond)],
  };
  const latency: Plot = {
    ...base,
    title: 'Latency',
    yLabel: 'ms',
    series: percents.map((percent) =>
      series(`p${percent}`, (row) =>
        row.requests === 0 ? undefined : row.latency.percentiles.find((one) => one.percent === percent)?.ms,
      ),
    ),
  };
  const phases: Plot = {
    ...base,
    title: 'Where the mean goes',
    yLabel: 'ms',
    series: [
      series('client send', (row) => row.sendMs),
      series('network', (row) => row.networkMs),
      series('queue', (row) => row.phases?.queue),
      series('input', (row) => row.phases?.computeInput),
      series('infer', (row) => row.phases?.computeInfer),
      series('output', (row) => row.phases?.computeOutput),
      series('client recv', (row) => row.receiveMs),
    ],
  };
  return [linePlot(throughput), linePlot(latency), ...(report.hasStatistics ? [stackedPlot(phases)] : [])];
}

function levelTable(report: BenchReport): string {
  const percents = report.rows[0]?.latency.percentiles.map(({ percent }) => `p${percent}`) ?? [];
  const phaseHeadings = report.hasStatistics ? ['queue', 'input', 'infer', 'output', 'rest'] : [];
  const headings = [
    levelName(report.plan),
    'requests/s',
    'rows/s',
    'mean',
    'deviation',
    'least',
    'most',
    ...percents,
    ...phaseHeadings,
    'failed',
    'late',
    'generator CPU',
    'row',
  ];
  const body = report.rows.map((row) => {
    const cells = rowCells(row, report.hasStatistics).map((cell) => `<td>${escapeText(cell)}</td>`);
    return `<tr${row.marks.includes('invalid') ? ' class="bad"' : ''}>${cells.join('')}</tr>`;
  });
  const head = headings.map((heading) => `<th>${escapeText(heading)}</th>`).join('');
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

function rowCells(row: BenchRow, hasStatistics: boolean): string[] {
  const { latency, phases, networkMs } = row;
  const server = phases && [phases.queue, phases.computeInput, phases.computeInfer, phases.computeOutput, networkMs!];
  return [
    String(row.level),
    row.requestsPerSecond.toFixed(1),
    row.inferencesPerSecond.toFixed(1),
    ...[latency.mean, latency.standardDeviation, latency.min, latency.max].map(showMilliseconds),
    ...latency.percentiles.map(({ ms }) => showMilliseconds(ms)),
    ...(hasStatistics ? (server?.map(showMilliseconds) ?? ['', '', '', '', '']) : []),
    String(failureCount(row)),
    String(row.schedule?.delayed ?? ''),
    `${Math.round(100 * Math.max(0, ...row.cpuShares))} %`,
    row.marks.join(', ') || 'ok',
  ];
}

type Fields = readonly (readonly [name: string, value: string])[];

function settings(report: BenchReport): Fields {
  const { plan, server } = report;
  return [
    ['target', `${plan.addresses.join(', ')} ${server.name} ${server.version}`.trim()],
    ['version', report.answeredBy || 'not said'],
    ['started', new Date(report.startedAt).toISOString()],
    ['rows of a request', String(plan.batchSize)],
    ['input data', plan.data.kind === 'file' ? plan.data.path : plan.data.kind],
    ['load', JSON.stringify(plan.loads)],
    ['windows', `${JSON.stringify(plan.windows)}, at most ${plan.maxTrials}, within ${plan.stabilityPercent} %`],
    ['judged by', plan.percentile === undefined ? 'the mean' : `p${plan.percentile}`],
    ['transport', plan.streaming ? 'ModelStreamInfer' : 'ModelInfer'],
    ['sequences', plan.sequences ? JSON.stringify(plan.sequences) : 'none'],
    ['time-out', showMilliseconds(plan.timeoutMs)],
    ['seed', String(plan.seed)],
  ];
}

function machine({ machine: of, ceiling, plan }: BenchReport): Fields {
  return [
    ['processor', `${of.processor}, ${of.cores} cores`],
    ['memory', showBytes(of.memoryBytes)],
    ['system', of.system],
    ['Node', of.node],
    ['generator', ceiling ? showCeiling(ceiling, plan.threads) : 'its ceiling was not measured'],
  ];
}

const fieldTable = (fields: Fields): string =>
  `<table class="fields"><tbody>${fields
    .map(([name, value]) => `<tr><th>${escapeText(name)}</th><td>${escapeText(value)}</td></tr>`)
    .join('\n')}</tbody></table>`;

const colours = ['#2f6fb0', '#c8641b', '#2e8b57', '#8a4fb5', '#c0392b', '#8c6d1f', '#5d6d7e'];

const style = `
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
svg { width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; text-align: right; border-bottom: 1px solid #8884; white-space: nowrap; }
.fields th, .fields td { text-align: left; white-space: normal; }
.bad, .bad td { color: #c0392b; }
.title { font-weight: 600; fill: currentColor; }
.tick { font-size: 11px; fill: currentColor; }
.grid { stroke: #8884; }
.line { fill: none; stroke-width: 2; }
.hollow { fill: none; stroke-width: 2; stroke-dasharray: 2 2; }
.faint { opacity: 0.4; }
${colours.map((colour, index) => `.c${index} { --c: ${colour}; }`).join('\n')}
.line, .hollow { stroke: var(--c); }
.dot, .bar { fill: var(--c); }
`;
