import { escapeText } from './markup.ts';

/** A line of a plot. */
export interface Series {
  readonly name: string;
  /** As many as there are levels; undefined leaves a gap. */
  readonly values: readonly (number | undefined)[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Rising. */
  readonly levels: readonly number[];
  readonly series: readonly Series[];
  /** Levels whose figures do not count: drawn hollow. */
  readonly isInvalid: readonly boolean[];
}

const [width, height] = [640, 320];
const frame = { left: 64, right: 16, top: 40, bottom: 64 };
const inner = { width: width - frame.left - frame.right, height: height - frame.top - frame.bottom };

/** Lines over the levels as SVG, at their true distances. */
export function linePlot(plot: Plot): string {
  const [first = 0, last = 0] = [plot.levels[0], plot.levels.at(-1)];
  const x = (level: number) => frame.left + (last === first ? 0.5 : (level - first) / (last - first)) * inner.width;
  const top = niceTop(Math.max(0, ...plot.series.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const y = (value: number) => frame.top + inner.height - (value / top) * inner.height;
  const lines = plot.series.map(({ name, values }, index) => {
    const points = plot.levels.flatMap((level, at) => {
      const value = values[at];
      return value === undefined
        ? []
        : [{ x: x(level), y: y(value), level, value, hollow: plot.isInvalid[at] === true }];
    });
    const path = points.map((point) => `${round(point.x)},${round(point.y)}`).join(' ');
    const dots = points.map(
      (point) =>
        `<circle class="${point.hollow ? 'hollow' : 'dot'} c${index}" cx="${round(point.x)}" cy="${round(point.y)}" r="3.5">${tip(`${name} at ${tick(point.level)}: ${tick(point.value)}`, point.hollow)}</circle>`,
    );
    return `<polyline class="line c${index}" points="${path}"/>${dots.join('')}`;
  });
  return drawn(plot, top, y, xTicks(plot.levels, x), lines);
}

/** The parts of a whole at each level, one above the other, as SVG. */
export function stackedPlot(plot: Plot): string {
  const totals = plot.levels.map((_, at) => plot.series.reduce((sum, { values }) => sum + (values[at] ?? 0), 0));
  const top = niceTop(Math.max(0, ...totals));
  const y = (value: number) => frame.top + inner.height - (value / top) * inner.height;
  const step = inner.width / Math.max(1, plot.levels.length);
  const bar = Math.min(56, step * 0.7);
  const x = (at: number) => frame.left + step * (at + 0.5);
  const bars = plot.levels.map((level, at) => {
    let below = 0;
    const parts = plot.series.map(({ name, values }, index) => {
      const value = values[at] ?? 0;
      const from = below;
      below += value;
      const invalid = plot.isInvalid[at] === true;
      return `<rect class="${invalid ? 'bar faint' : 'bar'} c${index}" x="${round(x(at) - bar / 2)}" y="${round(y(below))}" width="${round(bar)}" height="${round(y(from) - y(below))}">${tip(`${name} at ${tick(level)}: ${tick(value)}`, invalid)}</rect>`;
    });
    return parts.join('');
  });
  const ticks = plot.levels.map((level, at) => ({ at: x(at), text: tick(level) }));
  return drawn(plot, top, y, thinned(ticks), bars);
}

interface Tick {
  readonly at: number;
  readonly text: string;
}

function drawn(
  plot: Plot,
  top: number,
  y: (value: number) => number,
  ticks: readonly Tick[],
  marks: readonly string[],
): string {
  const middle = frame.left + inner.width / 2;
  const bottom = frame.top + inner.height;
  const yTicks = [0, 0.25, 0.5, 0.75, 1].map((share) => share * top);
  const grid = yTicks.map(
    (value) =>
      `<line class="grid" x1="${frame.left}" x2="${width - frame.right}" y1="${round(y(value))}" y2="${round(y(value))}"/><text class="tick" text-anchor="end" x="${frame.left - 6}" y="${round(y(value) + 4)}">${tick(value)}</text>`,
  );
  const xs = ticks.map(
    ({ at, text }) => `<text class="tick" text-anchor="middle" x="${round(at)}" y="${bottom + 16}">${text}</text>`,
  );
  const legend = plot.series.map(({ name }, index) => {
    const at = frame.left + (index * inner.width) / plot.series.length;
    return `<rect class="bar c${index}" x="${round(at)}" y="${height - 14}" width="10" height="10"/><text class="tick" x="${round(at + 14)}" y="${height - 5}">${escapeText(name)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${width} ${height}">`,
    `<title>${escapeText(plot.title)}</title>`,
    `<text class="title" x="${frame.left}" y="18">${escapeText(plot.title)}</text>`,
    `<text class="tick" x="${frame.left}" y="33">${escapeText(plot.yLabel)}</text>`,
    ...grid,
    ...xs,
    `<text class="tick" text-anchor="middle" x="${middle}" y="${bottom + 33}">${escapeText(plot.xLabel)}</text>`,
    ...marks,
    ...legend,
    '</svg>',
  ].join('\n');
}

const tip = (text: string, invalid: boolean): string =>
  `<title>${escapeText(text)}${invalid ? ' (invalid)' : ''}</title>`;

const xTicks = (levels: readonly number[], x: (level: number) => number): readonly Tick[] =>
  thinned(levels.map((level) => ({ at: x(level), text: tick(level) })));

/** Those that do not run into the one before them. */
function thinned(ticks: readonly Tick[]): readonly Tick[] {
  let end = Number.NEGATIVE_INFINITY;
  return ticks.filter(({ at, text }) => {
    const half = text.length * 3.5 + 4;
    if (at - half < end) return false;
    end = at + half;
    return true;
  });
}

/** The next number whose quarters are short. */
export function niceTop(value: number): number {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8].find((one) => one * power >= value * (1 - 1e-9)) ?? 10;
  return Number((factor * power).toPrecision(3));
}

const round = (value: number): number => Math.round(value * 10) / 10;
const tick = (value: number): string =>
  Number(value.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 4 });
