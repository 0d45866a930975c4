import { type RowKind, seeded } from '@sluice/domain/generated-rows';
import { clip } from '@sluice/domain/names';
import { graphSignatureOf } from '@sluice/domain/sequence-batching';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { flatten } from '../manifest/literal.ts';
import type { GoldenCase } from '../manifest/manifest.ts';
import type { AdmissionJob, ChildMessage } from './child-protocol.ts';
import { firstDifference, median, type TensorValues } from './compare.ts';
import { type Feed, OrtSession, toHalf } from './ort-session.ts';
import { joinRows, makeRow, rowShape, type RowValues, toTyped } from './rows.ts';
import { sequenceFeeds } from './sequence-feeds.ts';
import { warmUpFeeds } from './warm-up-feeds.ts';

/** Pairs of rows whose answers are compared. */
const pairCount = 20;
const pairTolerance = { rtol: 1e-4, atol: 1e-5 };
/** Two units in the last place: half precision cannot tell less apart. */
const halfTolerance = { rtol: 2 ** -9, atol: 1e-5 };
/** Sizes that are tried for dynamic dimensions that nobody gave one for. */
const sizesToTry = [4, 1, 16, 64, 224];

/** Tells the parent; the promise resolves when the message has left this process and outlives a crash of it. */
export type Send = (message: ChildMessage) => Promise<void>;
/** One row: values of each input, in the signature's order. */
type Row = readonly { readonly shape: readonly number[]; readonly values: RowValues }[];

/** A reason to reject the version: what the model did wrong. */
class Rejection extends Error {}

const messageOf = (error: unknown): string =>
  clip((error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ').trim(), 500);

/** Runs all stages of an admission in this process, telling what it finds as it goes. Never throws. */
export async function runJob(job: AdmissionJob, send: Send): Promise<void> {
  let stage = 'load';
  const enter = (next: string) => {
    stage = next;
    return send({ type: 'stage', stage });
  };
  try {
    await new JobRun(job, send, enter).run();
    await send({ type: 'done' });
  } catch (error) {
    await send({ type: 'check', check: { name: stage, passed: false, detail: messageOf(error) } });
    await send({ type: 'done' });
  }
}

class JobRun {
  readonly #job: AdmissionJob;
  readonly #send: Send;
  /** Every stage may be the last: what was found before it is out when it begins. */
  readonly #enter: (stage: string) => Promise<void>;
  readonly #uniform: () => number;
  /** The tensors of the graph: those of the signature, then what runtimes fill and keep for sequences. */
  readonly #graph: Signature;
  #session!: OrtSession;
  /** How rows are made, once one of its kind has run. */
  #plan: { readonly kind: RowKind; readonly size: number } | undefined;

  constructor(job: AdmissionJob, send: Send, enter: (stage: string) => Promise<void>) {
    this.#job = job;
    this.#send = send;
    this.#enter = enter;
    this.#uniform = seeded(job.seed);
    this.#graph = graphSignatureOf(job.signature, job.serving.sequenceBatching);
  }

  async run(): Promise<void> {
    const { signature, serving } = this.#job;
    await this.#load();
    const row = await this.#warmUp();
    for (const index of serving.warmupRequests.keys()) await this.#runWarmUpRequest(index);
    await this.#enter('latency');
    const latencyMs = await this.#measure([row]);
    void this.#send({ type: 'measured', latencyMs });
    this.#pass('latency', `${latencyMs.toFixed(3)} ms for one ${signature.batched ? 'row' : 'request'}, one thread`);
    if (signature.batched && serving.maxBatchSize > 1) await this.#checkBatching(row);
    for (const one of this.#job.golden) await this.#checkGolden(one);
  }

  #pass(name: string, detail: string): void {
    void this.#send({ type: 'check', check: { name, passed: true, detail } });
  }

  async #load(): Promise<void> {
    await this.#enter('load');
    void this.#send({ type: 'base', rss: process.memoryUsage.rss() });
    const begun = performance.now();
    this.#session = await OrtSession.load(this.#job.graphFile, this.#graph);
    const problem = this.#session.signatureProblem();
    if (problem) throw new Rejection(problem);
    this.#pass('load', `${(performance.now() - begun).toFixed(0)} ms`);
  }

  /** Finds rows that the model takes, golden cases first, and runs as many as are asked for. */
  async #warmUp(): Promise<Row> {
    await this.#enter('warm-up');
    const { row, how } = await this.#firstRow();
    for (let count = 1; count < this.#job.serving.warmupCount; count += 1) await this.#run([row]);
    const runs = Math.max(1, this.#job.serving.warmupCount);
    this.#pass('warm-up', `${runs} ${runs === 1 ? 'run' : 'runs'} with ${how}`);
    return row;
  }

  /** Once: a request that the model fails on would keep every runtime from loading the version. */
  async #runWarmUpRequest(index: number): Promise<void> {
    const { signature, serving, seed } = this.#job;
    const request = serving.warmupRequests[index]!;
    await this.#enter(`warm-up:${request.name}`);
    await this.#runFeeds(warmUpFeeds(request, signature, seed + index, toHalf));
    this.#pass(`warm-up:${request.name}`, signature.batched ? `ran with ${request.batchSize} rows` : 'ran');
  }

  async #firstRow(): Promise<{ row: Row; how: string }> {
    let failure: unknown;
    for (const { kind, size } of this.#plans()) {
      const row = this.#makeRow({ kind, size });
      try {
        await this.#run([row]);
        this.#plan = { kind, size };
        return { row, how: kind === 'random' ? 'random rows' : 'rows of zeros' };
      } catch (error) {
        if (error instanceof Rejection) throw error;
        failure ??= error;
      }
    }
    const [golden] = this.#job.golden;
    const row = golden && this.#rowOf(golden);
    if (row) {
      await this.#run([row]);
      return { row, how: `the golden case "${clip(golden.name)}"` };
    }
    throw new Rejection(
      `no generated row runs: ${messageOf(failure)}. Give ranges, warm_up.dimensions or a golden case in sluice.yaml`,
    );
  }

  #plans(): { kind: RowKind; size: number }[] {
    const { inputs, batched } = this.#job.signature;
    const isOpen = inputs.some((spec) =>
      spec.shape.some(
        (size, axis) => axis >= (batched ? 1 : 0) && size === -1 && !(spec.dimNames[axis]! in this.#job.dimensions),
      ),
    );
    const sizes = isOpen ? sizesToTry : [1];
    return (['random', 'zeros'] as const).flatMap((kind) => sizes.map((size) => ({ kind, size })));
  }

  #makeRow(plan: { readonly kind: RowKind; readonly size: number }): Row {
    const { signature, dimensions, ranges } = this.#job;
    return signature.inputs.map((spec) => {
      const shape = rowShape(spec, signature.batched, (name) => dimensions[name] ?? plan.size);
      const values = makeRow({ spec, range: ranges[spec.name] }, shape, plan.kind, this.#uniform, toHalf);
      return { shape, values };
    });
  }

  /** The first row of a golden case; undefined when it has none. */
  #rowOf(golden: GoldenCase): Row | undefined {
    const { inputs, batched } = this.#job.signature;
    const row = this.#goldenInputs(golden);
    if (!batched) return row;
    if (row.some(({ shape }) => shape[0] === 0)) return undefined;
    return inputs.map((_, index) => {
      const { shape, values } = row[index]!;
      const size = values.length / shape[0]!;
      return { shape: shape.slice(1), values: values.slice(0, size) };
    });
  }

  #goldenInputs(golden: GoldenCase): Row {
    return this.#job.signature.inputs.map((spec) => {
      const flat = flatten(golden.inputs[spec.name]!);
      if (typeof flat === 'string') throw new Rejection(`golden case "${clip(golden.name)}": ${flat}`);
      return { shape: flat.shape, values: toTyped(spec.datatype, flat.values, toHalf) };
    });
  }

  /** Runs rows as one batch (one row as it is where there is no batch dimension). */
  async #run(rows: readonly Row[]): Promise<readonly TensorValues[]> {
    const { inputs, batched } = this.#job.signature;
    const feeds = inputs.map((spec, index): Feed => {
      const parts = rows.map((row) => row[index]!);
      const shape = batched ? [rows.length, ...parts[0]!.shape] : parts[0]!.shape;
      return { name: spec.name, datatype: spec.datatype, shape, values: joinRows(parts.map((part) => part.values)) };
    });
    return this.#runFeeds(feeds);
  }

  /** Runs what clients send, each row as the first request of a sequence of its own where there are sequences. */
  async #runFeeds(feeds: readonly Feed[]): Promise<readonly TensorValues[]> {
    const { signature, serving } = this.#job;
    const rows = signature.batched ? feeds[0]!.shape[0] : undefined;
    const own = serving.sequenceBatching ? sequenceFeeds(serving.sequenceBatching, rows, toHalf) : [];
    const outputs = await this.#session.run([...feeds, ...own]);
    for (const [index, spec] of this.#graph.outputs.entries()) checkShape(spec, outputs[index]!);
    return outputs;
  }

  async #measure(rows: readonly Row[]): Promise<number> {
    const times: number[] = [];
    const end = performance.now() + this.#job.measureMs;
    do {
      const begun = performance.now();
      await this.#run(rows);
      times.push(performance.now() - begun);
    } while (times.length < 50 && performance.now() < end);
    return median(times);
  }

  async #checkBatching(row: Row): Promise<void> {
    await this.#enter('batch-independence');
    const reason = await this.#dependence().catch((error: unknown) => `two rows cannot be run: ${messageOf(error)}`);
    if (reason) {
      void this.#send({ type: 'batching-off', reason });
      this.#pass('batch-independence', `batching is off: ${reason}`);
      return;
    }
    this.#pass('batch-independence', `${pairCount} random pairs answer as they do one by one`);
    await this.#enter('batch-latency');
    const batchRows = this.#job.serving.maxBatchSize;
    const batchLatencyMs = await this.#measure(Array.from({ length: batchRows }, () => row));
    void this.#send({ type: 'measured-batch', batchLatencyMs, batchRows });
    this.#pass('batch-latency', `${batchLatencyMs.toFixed(3)} ms for ${batchRows} rows, one thread`);
  }

  /** Why rows may not share a batch; '' when each answers in a pair as it does alone. */
  async #dependence(): Promise<string> {
    const plan = this.#plan;
    if (plan?.kind !== 'random')
      return 'no random rows run, so it cannot be seen whether rows are independent; give ranges';
    const rows = Array.from({ length: pairCount + 1 }, () => this.#makeRow(plan));
    const alone: (readonly TensorValues[])[] = [];
    for (const row of rows) alone.push(await this.#run([row]));
    for (let pair = 0; pair < pairCount; pair += 1) {
      const together = await this.#run([rows[pair]!, rows[pair + 1]!]);
      for (const [index, output] of together.entries()) {
        if (output.shape[0] !== 2) return `output "${clip(output.name)}" has ${output.shape[0]} rows for two`;
        for (const half of [0, 1]) {
          const single = alone[pair + half]![index]!;
          const count = output.values.length / 2;
          if (single.values.length !== count)
            return `output "${clip(output.name)}" has another size for two rows than for one`;
          const range = { expectedFrom: 0, gotFrom: half * count, count };
          const isHalf = this.#graph.outputs[index]!.datatype === 'FP16';
          const tolerance = isHalf ? halfTolerance : pairTolerance;
          const difference = firstDifference(single, output, range, tolerance, ['alone', 'beside another row']);
          if (difference) return `rows influence each other: ${difference}`;
        }
      }
    }
    return '';
  }

  async #checkGolden(golden: GoldenCase): Promise<void> {
    await this.#enter(`golden:${golden.name}`);
    const { inputs, outputs } = this.#job.signature;
    const row = this.#goldenInputs(golden);
    const feeds = inputs.map((spec, index) => ({ name: spec.name, datatype: spec.datatype, ...row[index]! }));
    const results = await this.#runFeeds(feeds);
    for (const [name, literal] of Object.entries(golden.outputs)) {
      const index = outputs.findIndex((spec) => spec.name === name);
      const flat = flatten(literal);
      if (index < 0 || typeof flat === 'string') throw new Rejection(`output "${clip(name)}" cannot be compared`);
      const got = results[index]!;
      if (got.shape.join() !== flat.shape.join()) {
        throw new Rejection(
          `output "${clip(name)}": expected the shape [${flat.shape.join(', ')}], got [${got.shape.join(', ')}]`,
        );
      }
      const isWhole = typeof got.values[0] === 'bigint';
      const values = flat.values.map((one) => (typeof one === 'string' ? one : isWhole ? BigInt(one) : Number(one)));
      const range = { expectedFrom: 0, gotFrom: 0, count: values.length };
      const difference = firstDifference({ ...got, values }, got, range, golden);
      if (difference) throw new Rejection(`${difference} (rtol ${golden.rtol}, atol ${golden.atol})`);
    }
    this.#pass(`golden:${golden.name}`, `as expected: ${Object.keys(golden.outputs).join(', ')}`);
  }
}

/** An answer that contradicts the graph's own declaration would break every caller that believes it. */
function checkShape(spec: TensorSpec, output: TensorValues): void {
  const fits =
    output.shape.length === spec.shape.length &&
    spec.shape.every((size, axis) => size === -1 || size === output.shape[axis]);
  if (!fits) {
    throw new Rejection(
      `output "${clip(spec.name)}" is declared [${spec.shape.join(', ')}] and the runtime gave [${output.shape.join(', ')}]`,
    );
  }
}
