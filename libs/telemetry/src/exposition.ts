/** Labels of a series, in the order in which they are written. */
export type Labels = Readonly<Record<string, string | number>>;

/** One line of the text. */
export interface Sample {
  /** Behind the family's name, such as `_bucket`; default none. */
  readonly suffix?: string;
  /** One object for all series of the same labels: it is written as text once while it comes again and again. */
  readonly labels: Labels;
  /** Upper bound of a bucket, the label `le`. */
  readonly le?: string;
  readonly value: number;
}

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** A metric that is kept elsewhere and read when somebody scrapes. */
export interface ObservedFamily<Subject> {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  /** What there are series of, such as the versions that are placed: what is not there any more has none. */
  readonly subjects: () => Iterable<Subject>;
  /** The series of one of them: all of them stem from one moment. */
  readonly samples: (subject: Subject) => Iterable<Sample>;
}

/** Something else runs after so many milliseconds of writing. */
const sliceMs = 2;

const nextTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/**
 * Writes families as text in slices: between the subjects of a family the event loop gets its turn, so that a scrape of
 * many thousand series holds up no request.
 *
 * @param defaults labels that every series has behind its own
 * @param slice how long to write before others get their turn, in milliseconds
 */
export async function writeFamilies(
  families: Iterable<ObservedFamily<unknown>>,
  defaults: Labels,
  slice = sliceMs,
): Promise<string> {
  const common = written(defaults);
  let text = '';
  let startedMs = performance.now();
  for (const { name, type, help, subjects, samples } of families) {
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
    // All at once: one that goes and comes back between two slices would be there twice.
    for (const subject of [...subjects()]) {
      text += linesOf(name, samples(subject), common);
      if (performance.now() - startedMs < slice) continue;
      await nextTurn();
      startedMs = performance.now();
    }
    text += '\n';
  }
  return text;
}

function linesOf(name: string, samples: Iterable<Sample>, common: string): string {
  const lines: string[] = [];
  let last: Labels | undefined;
  let own = '';
  for (const { suffix = '', labels, le, value } of samples) {
    if (labels !== last) {
      own = written(labels);
      last = labels;
    }
    const bound = le === undefined ? '' : `le="${le}"`;
    const all = joined(joined(own, bound), common);
    lines.push(`${name}${suffix}${all === '' ? '' : `{${all}}`} ${numberOf(value)}\n`);
  }
  // Flat at once: a text of many thousand pieces is slow to collect and to send.
  return lines.join('');
}

const joined = (one: string, other: string): string => (one === '' || other === '' ? one + other : `${one},${other}`);

function written(labels: Labels): string {
  let text = '';
  for (const label in labels) text += `${text === '' ? '' : ','}${label}="${escapeLabel(String(labels[label]))}"`;
  return text;
}

function numberOf(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  return String(value);
}

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');

/** Hardly any label has something to escape, and looking is cheaper than replacing. */
function escapeLabel(text: string): string {
  return /[\\"\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text;
}

/** What is read of a histogram. */
export interface ReadHistogram {
  readonly sum: number;
  /** How many values were at most each bound; the last, one more than there are bounds, is how many there were. */
  cumulative(): readonly number[];
}

/** Makes the series of a histogram: a bucket for each bound, sum and count. */
export type HistogramSeries = (labels: Labels, histogram: ReadHistogram) => Sample[];

/**
 * How histograms with these bounds are written; the texts of the bounds are made once.
 *
 * @param unit what one of their values is in the metric's unit: 1e-6 for microseconds under a name in seconds
 */
export function histogramSeries(bounds: readonly number[], unit = 1): HistogramSeries {
  // 15 digits: 2 ** 21 * 1e-6 is to read 2.097152, with nothing behind it.
  const le = [...bounds.map((bound) => String(Number((bound * unit).toPrecision(15)))), '+Inf'];
  return (labels, histogram) => {
    const counts = histogram.cumulative();
    const samples: Sample[] = counts.map((value, index) => ({ suffix: '_bucket', labels, le: le[index]!, value }));
    samples.push(
      { suffix: '_sum', labels, value: histogram.sum * unit },
      { suffix: '_count', labels, value: counts.at(-1)! },
    );
    return samples;
  };
}
