import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createOipClient } from '@sluice/client/oip-client';
import { readInferResponse } from '@sluice/inference/infer-response';
import { RpcError } from '@sluice/rpc/status';
import { checkWritable } from '../bench/output-files.ts';
import { probe } from '../bench/probe.ts';
import { measureCeiling } from '../bench/generator/ceiling.ts';
import { Generator, type GeneratorOptions, type LoadPort, type WholeLoad } from '../bench/generator/generator.ts';
import { rowInputs } from '../bench/input-shapes.ts';
import { readIntervals } from '../bench/intervals.ts';
import { thisMachine } from '../bench/machine.ts';
import { measureLevel, wait } from '../bench/measure.ts';
import { arrivalsOf, type BenchPlan } from '../bench/options.ts';
import { readCounts, type ServerCounts } from '../bench/phases.ts';
import { type BenchReport, levelName } from '../bench/report.ts';
import { csvOf } from '../bench/report-csv.ts';
import { htmlOf } from '../bench/report-html.ts';
import { jsonOf } from '../bench/report-json.ts';
import { showCeiling, showWindow, textOf } from '../bench/report-text.ts';
import { buildRequests } from '../bench/requests.ts';
import { type BenchRow, isSound } from '../bench/rows.ts';
import { rateOf } from '../bench/schedule.ts';
import { search } from '../bench/search.ts';
import { describeTarget, type OipRpc, type Target } from '../bench/target.ts';
import { type CliContext, progress, showJson } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { plural } from '../format.ts';

/**
 * `sluice bench MODEL`: measures throughput and latency of a model at one load after another, as perf_analyzer does.
 *
 * @param makeLoad makes the generator; it is closed at the end
 * @throws CliError failed when a row is not sound, once everything is written
 */
export async function bench(
  context: CliContext,
  plan: BenchPlan,
  makeLoad: MakeLoad = (options) => new Generator(options),
): Promise<void> {
  const client = createOipClient(plan.addresses.join(','), {
    ...{ clock: context.clock, retryForMs: 0, tls: context.tls },
  });
  try {
    await run(context, plan, client.rpc, makeLoad);
  } catch (error) {
    const isAway = error instanceof RpcError && (error.origin === 'unsent' || error.origin === 'lost');
    if (!isAway) throw error;
    throw new CliError(
      exitCodes.unavailable,
      error.message,
      'Does a server of the Open Inference Protocol listen there? -u HOST:PORT names another.',
    );
  } finally {
    client.close();
  }
}

type MakeLoad = (options: GeneratorOptions) => LoadPort & Pick<Generator, 'close'>;

async function run(context: CliContext, asked: BenchPlan, rpc: OipRpc, makeLoad: MakeLoad): Promise<void> {
  const startedAt = context.clock.now();
  // Not when it has been measured for an hour.
  const { csv, json, html } = asked.files;
  await checkWritable([csv, json, html].filter((path) => path !== undefined));
  const target = await describeTarget(rpc, asked.model, asked.version, context.signal);
  const plan = target.isStateful ? { ...asked, sequences: asked.sequences ?? asked.defaultSequences } : asked;
  const messages = buildRequests(plan, target, rowInputs(target, plan.shapes), (path) => readFileSync(path, 'utf8'));
  const answer = await probe({ ...plan, tls: context.tls }, messages[0]!, context.clock, context.signal);
  progress(
    context,
    `${named(plan, answer)} on ${plan.addresses.join(', ')}, ${plural(plan.batchSize, 'row')} a request`,
  );
  const options: GeneratorOptions = { ...plan, messages, tls: context.tls?.current };
  const ceiling = plan.calibrate ? await measureCeiling(options, answer, (ms) => wait(context, ms)) : undefined;
  if (ceiling) progress(context, showCeiling(ceiling, plan.threads));
  const rows = await measureAll(context, plan, makeLoad(options), countsOf(context, plan, target, rpc));
  const report: BenchReport = {
    plan,
    answeredBy: versionOf(answer),
    server: target.server,
    hasStatistics: target.hasStatistics,
    startedAt,
    machine: thisMachine(),
    ceiling,
    rows,
    interrupted: context.signal.aborted,
  };
  await deliver(context, report);
}

async function measureAll(
  context: CliContext,
  plan: BenchPlan,
  generator: ReturnType<MakeLoad>,
  counts: () => Promise<ServerCounts | undefined>,
): Promise<readonly BenchRow[]> {
  const measure = (level: number, load: WholeLoad): Promise<BenchRow> =>
    measureLevel(
      {
        port: generator,
        clock: context.clock,
        settings: plan,
        signal: context.signal,
        counts,
        onWindow: (of, number, measured) => {
          if (context.terminal.bars) progress(context, showWindow(levelName(plan), of, number, measured));
        },
      },
      level,
      load,
    );
  try {
    return await overLevels(plan, measure);
  } finally {
    await generator.close();
  }
}

/** The loads of a plan, one after the other. */
async function overLevels(
  plan: BenchPlan,
  measure: (level: number, load: WholeLoad) => Promise<BenchRow>,
): Promise<readonly BenchRow[]> {
  const { loads, mostInFlight, seed } = plan;
  if (loads.kind === 'intervals') {
    const arrivals = {
      kind: 'intervals',
      gapsUs: readIntervals(readFileSync(loads.path, 'utf8'), loads.path),
    } as const;
    return [await measure(rateOf(arrivals), { kind: 'open', arrivals, mostInFlight })];
  }
  const searched = { range: loads.range, thresholdMs: plan.thresholdMs, binary: plan.binarySearch };
  return search(searched, (level) =>
    measure(
      level,
      loads.kind === 'concurrency'
        ? { kind: 'closed', inFlight: level }
        : { kind: 'open', arrivals: arrivalsOf(loads, level, seed), mostInFlight },
    ),
  );
}

/** Reads the server's counts; after a failure never again, and says so once. */
function countsOf(
  context: CliContext,
  plan: BenchPlan,
  target: Target,
  rpc: OipRpc,
): () => Promise<ServerCounts | undefined> {
  let isThere = target.hasStatistics;
  return async () => {
    if (!isThere) return undefined;
    try {
      return await readCounts(rpc, plan.model, plan.version, context.signal);
    } catch (error) {
      if (context.signal.aborted) return undefined;
      isThere = false;
      progress(
        context,
        `the server's statistics cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
      return undefined;
    }
  };
}

/** The version that an answer names; '' where it is of a kind that this program does not read. */
function versionOf(answer: Uint8Array): string {
  try {
    return readInferResponse(answer).modelVersion;
  } catch {
    return '';
  }
}

function named({ model }: BenchPlan, answer: Uint8Array): string {
  const version = versionOf(answer);
  return version === '' ? model : `${model} version ${version}`;
}

/** Writes the files, shows the result, and ends the command as the rows deserve. */
async function deliver(context: CliContext, report: BenchReport): Promise<void> {
  const { files } = report.plan;
  if (files.csv !== undefined) await writeFile(files.csv, csvOf(report, files.verboseCsv));
  if (files.json !== undefined) await writeFile(files.json, `${JSON.stringify(jsonOf(report), undefined, 2)}\n`);
  if (files.html !== undefined) await writeFile(files.html, htmlOf(report));
  if (context.json) showJson(context, jsonOf(report));
  else context.terminal.out(textOf(report));
  if (report.interrupted) throw new CliError(exitCodes.interrupted, 'interrupted');
  const unsound = report.rows.filter((row) => !isSound(row)).length;
  if (unsound > 0)
    throw new CliError(exitCodes.failed, `${unsound} of ${report.rows.length} rows are not sound; each says why`);
}
