import { type Command, InvalidArgumentError, Option } from 'commander';
import { type TransportName, transports } from '@sluice/rpc/transport/transport';
import { positive, whole } from '../options.ts';
import { parseRange } from './ranges.ts';

const help = `
A range is START, START:END or START:END:STEP. Levels are measured until they are stable: throughput and latency of the last
three windows differ by no more than --stability-percentage. A row in which the generator used over 80 % of its core is invalid.
Status 0: every row is sound. 1: a row has failed requests, is invalid or did not become stable. docs/bench.md explains the figures.`;

/** Adds `bench` with its options, named as perf_analyzer's where they mean the same. */
export function addBenchOptions(command: Command): Command {
  addTarget(command);
  addLoad(command);
  addMeasurement(command);
  return addOutput(command).addHelpText('after', help);
}

function addTarget(command: Command): void {
  command
    .option('-m, --model <name>', 'the model, where it is not given as MODEL')
    .addOption(new Option('-x, --model-version <version>', 'a number or an alias').default('', 'the server chooses'))
    .option(
      '-u, --url <addresses>',
      'a server of the Open Inference Protocol over gRPC, HOST:PORT; of several each gets its share (default: --router)',
    )
    .option('-b, --batch-size <number>', 'rows of one request', bounded(1_000_000), 1)
    .addOption(
      repeated(
        '--shape <name:sizes>',
        'sizes of an input with dynamic dimensions, without the batch: NAME:3,224,224',
        shape,
      ),
    )
    .option('--input-data <data>', "zero, random, or a JSON file as perf_analyzer's", 'random')
    .option('--string-length <number>', 'length of random strings', bounded(1_000_000), 128)
    .addOption(
      repeated('--request-parameter <name:value:type>', 'sent with each request; type: string, int, bool', parameter),
    )
    .option('--streaming', 'send over ModelStreamInfer', false)
    .addOption(
      new Option('--transport <client>', 'the gRPC client that makes the load')
        .choices([...transports])
        .default('wire' satisfies TransportName),
    )
    .option('--num-of-sequences <number>', 'sequences at once with a request rate (default: 4)', whole(1))
    .option('--sequence-length <number>', 'requests of a sequence (default: 20)', whole(1))
    .option('--sequence-length-variation <percent>', 'how far lengths are spread (default: 20)', percent)
    .option('--start-sequence-id <number>', 'id of the first sequence (default: 1)', whole(1))
    .option('--timeout <seconds>', 'longest wait for one request', positive, 30);
}

function addLoad(command: Command): void {
  command
    .option('--concurrency-range <range>', 'requests in flight (default: 1)', (text: string) => parseRange(text, true))
    .option('--request-rate-range <range>', 'requests a second, sent by a schedule', (text: string) =>
      parseRange(text, false),
    )
    .addOption(
      new Option('--request-distribution <kind>', 'of the gaps between requests (default: constant)').choices([
        'constant',
        'poisson',
      ]),
    )
    .option('--request-intervals <file>', 'gaps between requests in microseconds, a line each')
    .option('--max-outstanding <number>', 'requests in flight at most, with a request rate', bounded(1_000_000), 10_000)
    .option('--binary-search', 'look for the highest level within --latency-threshold by halves', false)
    .option('-l, --latency-threshold <ms>', 'stop at the first level that is slower', positive)
    .option('--threads <number>', 'threads of the generator', bounded(256), 1)
    .option('--no-calibration', "do not measure the generator's own ceiling first")
    .option('--seed <number>', 'of random data and Poisson gaps', whole(0), 1);
}

function addMeasurement(command: Command): void {
  command
    .option('--percentile <percent>', 'latency that is judged by, in place of the mean', percentile)
    .addOption(
      new Option('--measurement-mode <mode>', 'what ends a window')
        .choices(['time_windows', 'count_windows'])
        .default('time_windows'),
    )
    .option('-p, --measurement-interval <ms>', 'length of a window (default: 5000)', positive)
    .option('--measurement-request-count <number>', 'requests of a window (default: 50)', whole(1))
    .option('-s, --stability-percentage <percent>', 'how much windows may differ', positive, 10)
    .option('-r, --max-trials <number>', 'windows of a level at most', whole(1), 10)
    .option('--request-count <number>', 'measure exactly so many requests, in one window', whole(1))
    .option('--warmup-request-count <number>', 'requests before the first window', whole(0), 0);
}

function addOutput(command: Command): Command {
  return command
    .option('-f, --latency-report-file <file>', "write CSV with perf_analyzer's columns")
    .option('--verbose-csv', 'with more columns', false)
    .option('--json-file <file>', 'write what --json prints')
    .option('--html <file>', 'write a page with plots');
}

type Shapes = ReadonlyMap<string, readonly number[]>;
type Parameters = ReadonlyMap<string, string | bigint | boolean>;

/** What may be given several times, and is shown without a default. */
const repeated = <T>(
  flags: string,
  description: string,
  add: (text: string, before: ReadonlyMap<string, T>) => ReadonlyMap<string, T>,
) => new Option(flags, description).default(new Map<string, T>(), 'none').argParser(add);

/** `NAME:3,224`; the name may have colons. */
function shape(text: string, before: Shapes): Shapes {
  const [, name, sizes] = /^(.+):((?:\d+)(?:,\d+)*)$/.exec(text) ?? [];
  if (name === undefined || sizes === undefined)
    throw new InvalidArgumentError('Expected NAME:SIZE,SIZE such as image:3,224,224.');
  return new Map([...before, [name, sizes.split(',').map(Number)]]);
}

function parameter(text: string, before: Parameters): Parameters {
  const [, name, value, type] = /^([^:]+):(.*):([^:]+)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new InvalidArgumentError('Expected NAME:VALUE:TYPE.');
  return new Map([...before, [name, parameterValue(value, type!)]]);
}

function parameterValue(value: string, type: string): string | bigint | boolean {
  switch (type) {
    case 'string':
      return value;
    case 'int':
    case 'int64':
      if (/^-?\d{1,18}$/.test(value)) return BigInt(value);
      throw new InvalidArgumentError(`"${value}" is not a whole number.`);
    case 'bool':
      if (value === 'true' || value === 'false') return value === 'true';
      throw new InvalidArgumentError(`"${value}" is neither true nor false.`);
    default:
      throw new InvalidArgumentError(`The type "${type}" is none of string, int, bool.`);
  }
}

/** A whole number from 1 to `most`: beyond it a slip of the pen would take all memory. */
const bounded =
  (most: number) =>
  (text: string): number => {
    const value = whole(1)(text);
    if (value > most) throw new InvalidArgumentError(`Expected at most ${most}.`);
    return value;
  };

function percentile(text: string): number {
  const value = positive(text);
  if (value >= 100) throw new InvalidArgumentError('Expected a number below 100.');
  return value;
}

function percent(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || value > 100) throw new InvalidArgumentError('Expected a number from 0 to 100.');
  return value;
}
