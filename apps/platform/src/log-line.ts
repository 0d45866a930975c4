/** One line of a service's log. Lines that are not JSON (a crash, a warning of Node) become records too. */
export interface LogRecord {
  readonly time: string;
  readonly severity: string;
  readonly service: string;
  readonly instance: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

/** Reads a line; `now` and `source` are for what the line does not say itself. */
export function parseLogLine(line: string, source: string, severity: string, now: () => string): LogRecord {
  const bare = { time: now(), severity, service: source, instance: source, msg: line };
  if (!line.startsWith('{')) return bare;
  try {
    const fields = JSON.parse(line) as Record<string, unknown>;
    return {
      ...fields,
      time: text(fields['time']) ?? bare.time,
      severity: text(fields['severity']) ?? severity,
      service: text(fields['service']) ?? source,
      instance: text(fields['instance']) ?? source,
      msg: text(fields['msg']) ?? '',
    };
  } catch {
    return bare;
  }
}

const prefixColours = ['36', '35', '34', '33', '32', '96', '95', '94'];
const severityColours: Readonly<Record<string, string>> = {
  fatal: '41',
  error: '31',
  warn: '33',
  debug: '2',
  trace: '2',
};
const usual = new Set(['time', 'severity', 'service', 'instance', 'msg', 'pid', 'hostname']);

function paint(on: boolean, code: string | undefined, words: string): string {
  return on && code !== undefined ? `\u001b[${code}m${words}\u001b[0m` : words;
}

function show(value: unknown): string {
  if (typeof value === 'string') return /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value);
}

function fieldsOf(record: LogRecord): string {
  const shown = Object.entries(record).filter(([name]) => !usual.has(name) && name !== 'err');
  return shown.map(([name, value]) => ` ${name}=${show(value)}`).join('');
}

function stackOf(record: LogRecord): string {
  const error = record['err'] as { message?: unknown; stack?: unknown } | undefined;
  const stack = text(error?.stack) ?? text(error?.message);
  return stack === undefined ? '' : `\n    ${stack.split('\n').join('\n    ')}`;
}

/** A record as people read it: time of day, where it comes from, how bad it is, what it says. */
export function formatRecord(record: LogRecord, source: string, index: number, colour: boolean): string {
  const time = record.time.slice(11, 23);
  const prefix = paint(colour, prefixColours[index % prefixColours.length], source.padEnd(9));
  const severity = paint(colour, severityColours[record.severity], record.severity.padEnd(5));
  return `${time} ${prefix} ${severity} ${record.msg}${fieldsOf(record)}${stackOf(record)}`;
}
