import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { transports } from '@sluice/rpc/transport/transport';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { Generator } from '../src/bench/generator/generator.ts';
import { bench } from '../src/commands/bench.ts';
import type { CliContext } from '../src/context.ts';
import { runCli } from '../src/run-cli.ts';
import { type ForeignServer, Refusal, startForeignServer } from './bench/foreign-server.ts';
import { planOf } from './bench/reports.ts';
import { expectWellFormed } from './bench/well-formed.ts';

interface Document {
  readonly sound: boolean;
  readonly interrupted: boolean;
  readonly generator: { readonly ceiling: { readonly requestsPerSecondPerCore: number } | null };
  readonly rows: readonly {
    readonly level: number;
    readonly marks: readonly string[];
    readonly requests: number;
    readonly windows: number;
    readonly seconds: number;
    readonly failures: Readonly<Record<string, { readonly count: number; readonly message: string }>>;
    readonly latencyMs: Readonly<Record<string, number>>;
    readonly schedule: { readonly sent: number; readonly held: number } | null;
    readonly generatorCpuShares: readonly number[];
  }[];
}

let server: ForeignServer;
beforeEach(async () => {
  server = await startForeignServer();
});
afterEach(() => server.close());

/** Runs `bench adder` on the foreign server. */
async function run(args: readonly string[], signal = new AbortController().signal) {
  const out: string[] = [];
  const notes: string[] = [];
  const code = await runCli({
    args: ['bench', 'adder', '-u', server.address, '--no-calibration', ...args],
    env: {},
    clock: systemClock,
    user: 'pusher',
    version: '0.1.0',
    signal,
    terminal: { out: (text) => out.push(text), note: (text) => notes.push(text), bars: undefined, input: undefined },
  });
  return { code, out: out.join('\n'), notes: notes.join('\n'), document: () => JSON.parse(out.join('\n')) as Document };
}

/** As which a client says that it calls. */
const agentOf = { 'grpc-js': expect.stringMatching(/^grpc-node-js/) as unknown, wire: undefined };
/** Windows that are stable whatever the machine does. */
const quick = ['-p', '60', '-s', '100000', '--json'];
const count = (requests: number) => ['--request-count', String(requests), '--json'];
/** A mark among others: a machine that is busy may make a row of milliseconds `invalid`, too. */
const marked = (mark: string) => expect.arrayContaining([mark]) as readonly string[];
/** Probe and load together. */
const inferences = () => server.calls['ModelInfer'] ?? 0;

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('bench, on a server that is none of ours', () => {
  it('measures level after level in a closed loop, without phases where there are no statistics', async () => {
    const folder = await temporaryFolder();
    const file = (name: string) => path.join(folder, name);
    const ended = await run([
      ...['--concurrency-range', '1:3:2', '-p', '60', '-s', '100000', '-b', '2'],
      ...['-f', file('a.csv'), '--json-file', file('a.json'), '--html', file('a.html')],
    ]);
    expect(ended.out).toMatch(/^IN FLIGHT +REQUESTS\/S .*P99 +FAILED +CPU +ROW\n1 /);
    const document = JSON.parse(await readFile(file('a.json'), 'utf8')) as Document;
    expect(document.rows.map(({ level }) => level)).toEqual([1, 3]);
    // On a machine that stands still a window has no answer, and one more is measured.
    for (const { windows } of document.rows) expect(windows).toBeGreaterThanOrEqual(3);
    for (const { requests, latencyMs, failures } of document.rows) {
      expect([requests > 0, failures, latencyMs['p99']! >= latencyMs['p50']!]).toEqual([true, {}, true]);
    }
    const csv = (await readFile(file('a.csv'), 'utf8')).split('\n');
    expect(csv[0]).toBe(
      'Concurrency,Inferences/Second,Client Send,Client Recv,p50 latency,p90 latency,p95 latency,p99 latency',
    );
    expect(csv).toHaveLength(4);
    expectWellFormed(await readFile(file('a.html'), 'utf8'));
    expect(server.requests.at(-1)!.inputs).toMatchObject([{ name: 'x', datatype: 'FP32', shape: ['2', '2'] }]);
    expect([server.calls['ModelStatistics'], server.calls['ModelConfig']]).toEqual([undefined, 1]);
  });

  it('sends exactly so many requests, by any number of threads', async () => {
    expect((await run([...count(25), '--concurrency-range', '3', '--threads', '2'])).document().rows).toMatchObject([
      { requests: 25, windows: 1, generatorCpuShares: [expect.any(Number), expect.any(Number)] },
    ]);
    expect(inferences()).toBe(26);
    await run([...count(5), '--threads', '2', '--warmup-request-count', '4']);
    expect(inferences()).toBe(26 + 1 + 4 + 5);
  });

  it('sends by a schedule: Poisson arrivals, a constant rate, and intervals of a file', async () => {
    const rate = ['--request-rate-range', '200', ...count(30)];
    const poisson = (await run([...rate, '--request-distribution', 'poisson'])).document();
    expect(poisson.rows).toMatchObject([{ level: 200, requests: 30, schedule: { sent: 30, held: 0 } }]);
    const begun = performance.now();
    expect((await run([...rate, '--threads', '2'])).document().rows).toMatchObject([
      { requests: 30, schedule: { sent: 30 } },
    ]);
    expect(performance.now() - begun).toBeGreaterThanOrEqual(29 * 5);
    const file = path.join(await temporaryFolder(), 'gaps');
    await writeFile(file, '1000\n9000\n');
    expect((await run(['--request-intervals', file, ...count(9)])).document().rows).toMatchObject([
      { level: 200, requests: 9 },
    ]);
  });

  it('counts a pause of the server in every request that was due in it, not only in the one that met it', async () => {
    const pause = Promise.withResolvers<undefined>();
    const { handle } = server;
    server.handle = async (request, number) => {
      // The probe is the first. The sixth of the load waits until those behind it could long have been sent.
      if (number === 7) systemClock.schedule(300, () => pause.resolve(undefined));
      if (number >= 7) await pause.promise;
      return handle(request, number);
    };
    const [row] = (await run(['--request-rate-range', '100', '--max-outstanding', '1', ...count(20)])).document().rows;
    expect(row!.marks).toContain('held');
    expect(row!.latencyMs['max']).toBeGreaterThanOrEqual(290);
    // All fourteen behind it were due within the pause: the median is one of them.
    expect(row!.latencyMs['p50']).toBeGreaterThan(150);
    expect(row!.schedule!.held).toBeGreaterThanOrEqual(13);
  });

  it.each(transports)(
    'measures over a stream on %s, where an answer belongs to the request that it names',
    async (transport) => {
      const { handle } = server;
      const last = Promise.withResolvers<undefined>();
      server.handle = async (request, number) => {
        // The probe is the first. The first of the load is answered after all others, which three callers send in turn.
        if (number === 2) await last.promise;
        else await new Promise<void>((resolve) => systemClock.schedule(10, resolve));
        if (number === 41) last.resolve(undefined);
        return handle(request, number);
      };
      const streamed = [
        ...count(40),
        '--streaming',
        '--concurrency-range',
        '4',
        '-b',
        '4096',
        '--transport',
        transport,
      ];
      const [row] = (await run(streamed)).document().rows;
      expect(row).toMatchObject({ requests: 40, failures: {} });
      expect(row!.latencyMs['max']).toBeGreaterThan(0.8 * row!.seconds * 1000);
      expect([inferences(), server.calls['ModelStreamInfer']]).toEqual([1, 1]);
      expect(server.agents['ModelStreamInfer']).toEqual(agentOf[transport]);
      expect(new Set(server.requests.slice(1).map(({ id }) => id)).size).toBe(40);
    },
  );

  it.each(transports)('shows failures on %s by status, and ends with status 1', async (transport) => {
    const { handle } = server;
    server.handle = (request, number) => {
      if (number % 4 === 2) throw new Refusal('RESOURCE_EXHAUSTED', 'the queue is full');
      // OK without a message is no answer.
      if (number % 4 === 0) throw new Refusal('OK', '');
      return handle(request, number);
    };
    const failures = {
      RESOURCE_EXHAUSTED: { count: 3, message: 'the queue is full' },
      INTERNAL: { count: 2, message: 'answered OK with 0 whole messages' },
    };
    const unary = await run([...count(10), '--transport', transport]);
    expect(unary.document()).toMatchObject({
      sound: false,
      rows: [{ requests: 5, marks: marked('failures'), failures }],
    });
    expect([unary.code, unary.notes]).toEqual([1, 'sluice: 1 of 1 rows are not sound; each says why']);
    expect(server.agents['ModelInfer']).toEqual(agentOf[transport]);
    server.handle = (request, number) => {
      if (number > 12 && number % 2 === 0) throw new Refusal('INTERNAL', 'broken');
      return handle(request, number);
    };
    const streamed = (await run([...count(10), '--streaming', '--transport', transport])).document();
    expect(streamed.rows).toMatchObject([{ requests: 5, failures: { STREAM_ERROR: { count: 5 } } }]);
  });

  it.each(transports)(
    'on %s gives up what is not answered in time, and goes on after a connection broke',
    async (transport) => {
      const { handle } = server;
      server.handle = async (request, number) => {
        if (number === 2) await new Promise(() => undefined);
        if (number === 4) server.breakOff();
        return handle(request, number);
      };
      const [row] = (await run([...count(6), '--timeout', '1', '--transport', transport])).document().rows;
      const broke = expect.stringMatching(new RegExp(`^the connection to ${server.address} broke: `)) as unknown;
      expect(row!.failures).toEqual({
        DEADLINE_EXCEEDED: { count: 1, message: 'no answer within the time-out' },
        UNAVAILABLE: { count: 1, message: broke },
      });
      expect(row!.requests).toBe(4);
    },
  );

  it('drives sequences, and ends those that are open', async () => {
    await run([...count(7), '--sequence-length', '3', '--sequence-length-variation', '0', '--start-sequence-id', '40']);
    const steps = server.requests.map(({ parameters }) => [
      parameters['sequence_id']?.int64Param,
      parameters['sequence_start']?.boolParam,
      parameters['sequence_end']?.boolParam,
    ]);
    const of = (id: string) => [
      [id, true, false],
      [id, false, false],
      [id, false, true],
    ];
    expect(steps).toEqual([['40', true, true], ...of('40'), ...of('41'), ['42', true, false], ['42', false, true]]);
  });

  it('stops at Ctrl-C with what was measured until then', async () => {
    const controller = new AbortController();
    const running = run(['-p', '60000', '--json'], controller.signal);
    await eventually(() => expect(inferences()).toBeGreaterThan(3));
    controller.abort();
    const ended = await running;
    expect([ended.code, ended.notes]).toEqual([130, 'sluice: interrupted']);
    expect(ended.document()).toMatchObject({
      interrupted: true,
      sound: false,
      rows: [{ windows: 1, marks: marked('interrupted') }],
    });
    expect(ended.document().rows[0]!.requests).toBeGreaterThan(0);
  });

  it('ends at the first level that is slower than the threshold', async () => {
    const { handle } = server;
    server.handle = async (request, number) => {
      await new Promise<void>((resolve) => systemClock.schedule(20, resolve));
      return handle(request, number);
    };
    const { rows } = (await run([...quick, '--concurrency-range', '1:0', '-l', '5'])).document();
    expect(rows.map(({ level }) => level)).toEqual([1]);
  });

  it('says in one line what is wrong: the address, the model, the shape', async () => {
    expect(await run(['-u', '127.0.0.1:1'])).toMatchObject({
      code: 5,
      notes: expect.stringMatching(/127.0.0.1:1 cannot be reached[^\n]*\n {2}Does a server .* -u HOST:PORT/) as unknown,
    });
    server.handle = () => {
      throw new Refusal('INVALID_ARGUMENT', 'x is too small');
    };
    expect(await run([])).toMatchObject({ code: 2, notes: 'sluice: x is too small' });
    expect(await run(['--shape', 'x:3'])).toMatchObject({ code: 2 });
    expect(await run(['--input-data', '/no/such/file'])).toMatchObject({
      code: 2,
      notes: 'sluice: /no/such/file does not exist',
    });
  });
});

/** A generator that says that it used all of its core. */
class BusyGenerator extends Generator {
  override async collect() {
    return { ...(await super.collect()), cpuShares: [0.2, 0.97] };
  }
}

describe('a generator that used over 80 % of its core', () => {
  it('makes its row invalid, which table, files and status say; each window is said where a person looks', async () => {
    const file = path.join(await temporaryFolder(), 'a.json');
    const out: string[] = [];
    const notes: string[] = [];
    const context: CliContext = {
      terminal: {
        out: (text) => out.push(text),
        note: (text) => notes.push(text),
        bars: new PassThrough(),
        input: undefined,
      },
      services: {} as CliContext['services'],
      clock: systemClock,
      json: false,
      tls: undefined,
      signal: new AbortController().signal,
    };
    const plan = planOf('adder', '-u', server.address, '--no-calibration', '--request-count', '5', '--json-file', file);
    const ended = bench(context, plan, (options) => new BusyGenerator(options));
    await expect(ended).rejects.toMatchObject({ code: 1, message: '1 of 1 rows are not sound; each says why' });
    expect(out[0]).toMatch(/ 97 % +invalid\nconcurrency 1: the generator used 97 % of its core, over 80 %/);
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ sound: false, rows: [{ marks: ['invalid'] }] });
    expect(notes).toEqual([
      `adder version 1 on ${server.address}, 1 row a request`,
      expect.stringMatching(/^concurrency 1, window 1: \d/) as unknown,
    ]);
  });
});

describe('the ceiling of the generator', () => {
  it.each([[[]], [['--streaming']]])('is measured first, and said: %j', async (more) => {
    const ended = await runCli({
      args: ['bench', 'adder', '-u', server.address, '--request-count', '3', '--json', ...more],
      env: {},
      clock: systemClock,
      user: 'pusher',
      version: '0.1.0',
      signal: new AbortController().signal,
      terminal: {
        out: (text) => {
          const { ceiling } = (JSON.parse(text) as Document).generator;
          expect(ceiling!.requestsPerSecondPerCore).toBeGreaterThan(1000);
        },
        note: () => undefined,
        bars: undefined,
        input: undefined,
      },
    });
    expect(ended).toBeLessThanOrEqual(1);
    // The target gets the probe and the load, never the calibration.
    expect(inferences() + (server.calls['ModelStreamInfer'] ?? 0)).toBeLessThanOrEqual(4);
  });
});
