// A process of its own: ONNX Runtime alone, in a loop, at the batch sizes that it is told. Prints one line of JSON.
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { seededUniform } from './onnx/graph-builder.ts';

export interface RawJob {
  readonly modelFile: string;
  readonly threads: number;
  readonly input: string;
  /** The shape of one row, without the batch dimension. */
  readonly rowShape: readonly number[];
  readonly batches: readonly number[];
  /** For each batch size. */
  readonly seconds: number;
}

export interface RawResult {
  readonly batch: number;
  readonly rowsPerSecond: number;
  /** CPU of the process, in microseconds per row. */
  readonly cpuUsPerRow: number;
}

async function measure(session: InferenceSession, job: RawJob, batch: number): Promise<RawResult> {
  const uniform = seededUniform(batch);
  const shape = [batch, ...job.rowShape];
  const values = Float32Array.from({ length: shape.reduce((product, size) => product * size, 1) }, uniform);
  const feeds = { [job.input]: new Tensor('float32', values, shape) };
  await session.run(feeds);
  await session.run(feeds);
  const cpu = process.cpuUsage();
  const start = performance.now();
  let runs = 0;
  while (performance.now() - start < job.seconds * 1000) {
    await session.run(feeds);
    runs++;
  }
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { batch, rowsPerSecond: (runs * batch) / seconds, cpuUsPerRow: (user + system) / (runs * batch) };
}

async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2] ?? '') as RawJob;
  const session = await InferenceSession.create(readFileSync(job.modelFile), {
    executionProviders: ['cpu'],
    intraOpNumThreads: job.threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
  });
  const results: RawResult[] = [];
  for (const batch of job.batches) results.push(await measure(session, job, batch));
  process.stdout.write(`${JSON.stringify(results)}\n`);
}

await main();
