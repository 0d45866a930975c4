import { parseArgs } from 'node:util';
import { evidenceSizes, type EvidenceSizes } from './evidence/sizes.ts';

export interface BenchOptions {
  /** Print only the rows, as JSON. */
  readonly json: boolean;
  /** A few seconds in all, for trying it out: its figures mean nothing. */
  readonly quick: boolean;
  /** Only the measurements whose names match. */
  readonly only: RegExp;
  /** Of every figure. */
  readonly rounds: number;
  /** Of one measurement of one round. */
  readonly seconds: number;
  /** Of ONNX Runtime, on both sides. */
  readonly threads: number;
  /** The gRPC stack of router and model-server. */
  readonly transport: 'grpc-js' | 'wire';
  readonly inFlight: readonly number[];
  /** The numbers in flight were given: no others are measured. */
  readonly isInFlightChosen: boolean;
  readonly portOffset: number;
  /** How much work memory is watched over; undefined for the ordinary bench. */
  readonly endurance: { readonly requests: number; readonly cycles: number } | undefined;
  /** Of the rows about evidence. */
  readonly evidence: EvidenceSizes;
  /** Put the report into docs/performance.md. */
  readonly publish: boolean;
  readonly help: boolean;
}

export const usage = `npm run bench -- [options]

  --only REGEX       only measurements whose names match, such as '^small/direct/64$' or 'convnet'
  --quick            one short round, to try it out; its figures mean nothing
  --full             rows about evidence at the sizes of their targets: 10 million rows, spool held for 60 s, database away for 300 s
  --json             print only {rows:[{name,value,target,met,valid,spread}]}
  --publish          put the report into docs/performance.md as well
  --rounds N         interleaved runs of every measurement (5)
  --seconds N        of one run (3)
  --threads N        threads of ONNX Runtime, in the raw loop and in the model-server (1)
  --transport NAME   gRPC stack of router and model-server: grpc-js or wire, which has rows of its own too (wire)
  --in-flight A,B    requests in flight (1,16,64,256, and for the perceptron 512)
  --evidence-rows N  rows that are ingested (1000000)
  --hold N           seconds that the spool must not grow for (20)
  --away N           seconds that the database is away for (90)
  --endurance        only whether memory grows: millions of requests, hundreds of loads and unloads
  --requests N       of --endurance (5000000)
  --cycles N         of --endurance (300)
  --port-offset N    added to every port of the platform that it starts (20000)
`;

/** Reads the command line. @throws Error that says what was wrong */
export function parseOptions(argv: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      publish: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      endurance: { type: 'boolean', default: false },
      requests: { type: 'string', default: '5000000' },
      cycles: { type: 'string', default: '300' },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      threads: { type: 'string', default: '1' },
      transport: { type: 'string', default: 'wire' },
      'in-flight': { type: 'string' },
      'evidence-rows': { type: 'string' },
      hold: { type: 'string' },
      away: { type: 'string' },
      'port-offset': { type: 'string', default: '20000' },
    },
  });
  const { json, quick, full, publish, help, transport } = values;
  if (quick && full) throw new Error('--quick and --full are two kinds of runs');
  if (transport !== 'grpc-js' && transport !== 'wire')
    throw new Error(`--transport must be grpc-js or wire, got ${transport}`);
  return {
    json,
    quick,
    publish,
    help,
    transport,
    only: new RegExp(values.only),
    endurance: values.endurance
      ? {
          requests: number('--requests', values.requests, 1000, 1e9),
          cycles: number('--cycles', values.cycles, 1, 1e6),
        }
      : undefined,
    evidence: evidenceSizes({
      kind: quick ? 'quick' : full ? 'full' : 'usual',
      rows: numberIfAny('--evidence-rows', values['evidence-rows'], 1_000, 1e9),
      holdSeconds: numberIfAny('--hold', values.hold, 1, 3_600),
      awaySeconds: numberIfAny('--away', values.away, 3, 3_600),
    }),
    rounds: number('--rounds', values.rounds ?? (quick ? '1' : '5'), 1, 101),
    seconds: number('--seconds', values.seconds ?? (quick ? '0.5' : '3'), 0.1, 600),
    threads: number('--threads', values.threads, 1, 1024),
    inFlight: (values['in-flight'] ?? (quick ? '16' : '1,16,64,256'))
      .split(',')
      .map((text) => number('--in-flight', text, 1, 100_000)),
    isInFlightChosen: quick || values['in-flight'] !== undefined,
    portOffset: number('--port-offset', values['port-offset'], 0, 57_000),
  };
}

function number(name: string, text: string, from: number, to: number): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= from && value <= to) return value;
  throw new Error(`${name} must be a number from ${from} to ${to}, got ${text}`);
}

const numberIfAny = (name: string, text: string | undefined, from: number, to: number): number | undefined =>
  text === undefined ? undefined : number(name, text, from, to);
