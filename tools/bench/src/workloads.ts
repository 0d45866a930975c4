import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildInferRequest } from '@sluice/inference/request-builder';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { buildBenchConvNet, buildLargePerceptron } from './onnx/bench-models.ts';
import { seededUniform } from './onnx/graph-builder.ts';

/** A model and how it is measured. */
export interface WorkloadPlan {
  readonly name: string;
  /** Its name at the registry. */
  readonly model: string;
  readonly input: string;
  readonly rowShape: readonly number[];
  readonly largest: number;
  readonly maxBatchSize: number;
  /** Requests that may wait; unbounded without it. */
  readonly maxQueueSize?: number;
  /** Batch sizes among which the best of raw ONNX Runtime is looked for. */
  readonly rawBatches: readonly number[];
  /** A batch size that raw ONNX Runtime is measured at beside its best one. */
  readonly rawBatch?: number;
  /** Requests in flight that are measured beside those of every model. */
  readonly alsoInFlight?: number;
  /** The graph: a file of the examples, or bytes that the bench makes and pushes. */
  readonly graph: { readonly example: string } | { readonly build: () => Buffer };
}

export const workloadPlans: readonly WorkloadPlan[] = [
  {
    name: 'small',
    model: 'digits',
    input: 'pixels',
    rowShape: [64],
    largest: 16,
    maxBatchSize: 64,
    rawBatches: [1, 8, 32, 64],
    graph: { example: path.join('examples', 'models', 'digits', 'linear', 'linear.onnx') },
  },
  {
    name: 'perceptron',
    model: 'bench-perceptron',
    input: 'x',
    rowShape: [1024],
    largest: 1,
    maxBatchSize: 128,
    rawBatches: [1, 16, 64, 128],
    rawBatch: 128,
    alsoInFlight: 512,
    graph: { build: buildLargePerceptron },
  },
  {
    name: 'convnet',
    model: 'bench-convnet',
    input: 'x',
    rowShape: [3, 64, 64],
    largest: 1,
    maxBatchSize: 16,
    rawBatches: [1, 4, 16],
    graph: { build: buildBenchConvNet },
  },
];

export interface ExpectedAnswer {
  readonly model: string;
  readonly version: string;
  readonly output: string;
  readonly shape: readonly number[];
  /** The values that ONNX Runtime gives it alone and, where they differ in a bit, in the largest batch. */
  readonly answers: readonly Float32Array[];
}

/** A request whose answer is known. */
export interface Check {
  readonly message: Buffer;
  /** What ONNX Runtime itself answers, or the very bytes of the answer; undefined for an echo, which must answer the message. */
  readonly expected: ExpectedAnswer | Buffer | undefined;
}

/** A plan made ready: files written, answers known. */
export interface Workload {
  readonly plan: WorkloadPlan;
  /** The version's number at the registry, known after the push. */
  readonly version: string;
  readonly modelFile: string;
  /** One gRPC frame, for h2load. */
  readonly frameFile: string;
  readonly frameBytes: number;
  readonly checks: readonly Check[];
}

/** One gRPC frame: not compressed, its length, the message. */
export function grpcFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(5 + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, 5);
  return frame;
}

/** Writes the graph of a plan where other processes find it. Returns its path and digest. */
export function writeGraph(plan: WorkloadPlan, root: string, folder: string): { file: string; sha256: string } {
  const bytes = 'build' in plan.graph ? plan.graph.build() : readFileSync(path.join(root, plan.graph.example));
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, `${plan.model}.onnx`);
  writeFileSync(file, bytes);
  return { file, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** Makes the requests of a workload, and asks ONNX Runtime itself for the answers of `checks` varied ones. */
export async function prepareWorkload(
  plan: WorkloadPlan,
  version: string,
  modelFile: string,
  options: { readonly folder: string; readonly checks: number; readonly threads: number },
): Promise<Workload> {
  const session = await InferenceSession.create(modelFile, {
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
  });
  const rows = Array.from({ length: options.checks }, (_, index) => rowOf(plan, 1000 + index));
  const alone = await Promise.all(rows.map((row) => rowsRun(session, plan, [row])));
  const crowd = Array.from({ length: plan.maxBatchSize }, (_, index) => rows[index % rows.length]!);
  const together = await rowsRun(session, plan, crowd);
  const checks = rows.map((row, index) => {
    const { output, dims, rows: own } = alone[index]!;
    const answers = distinct([own[0]!, ...together.rows.filter((_, at) => at % rows.length === index)]);
    return {
      message: requestOf(plan, version, row),
      expected: { model: plan.model, version, output, shape: [1, ...dims], answers },
    };
  });
  await session.release();
  const frame = grpcFrame(checks[0]!.message);
  const frameFile = path.join(options.folder, `${plan.name}.frame`);
  writeFileSync(frameFile, frame);
  return { plan, version, modelFile, frameFile, frameBytes: frame.length, checks };
}

function rowOf(plan: WorkloadPlan, seed: number): Float32Array {
  const uniform = seededUniform(seed);
  const elements = plan.rowShape.reduce((product, size) => product * size, 1);
  return Float32Array.from({ length: elements }, () => uniform() * plan.largest);
}

/** What ONNX Runtime answers for each row of a batch. `dims` are those of a row. */
async function rowsRun(session: InferenceSession, plan: WorkloadPlan, rows: readonly Float32Array[]) {
  const batch = Float32Array.from(rows.flatMap((row) => [...row]));
  const outputs = await session.run({ [plan.input]: new Tensor('float32', batch, [rows.length, ...plan.rowShape]) });
  const [output, { data, dims }] = Object.entries(outputs)[0]!;
  const values = data as Float32Array;
  const width = values.length / rows.length;
  return { output, dims: dims.slice(1), rows: rows.map((_, at) => values.slice(at * width, (at + 1) * width)) };
}

/** Those that differ from each other in a bit. */
function distinct(answers: readonly Float32Array[]): Float32Array[] {
  return [...new Map(answers.map((values) => [Buffer.from(values.buffer).toString('base64'), values])).values()];
}

function requestOf(plan: WorkloadPlan, version: string, row: Float32Array): Buffer {
  const data = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
  return buildInferRequest({
    modelName: plan.model,
    modelVersion: version,
    inputs: [{ name: plan.input, datatype: 'FP32', shape: [1, ...plan.rowShape], data }],
  });
}

/** The same requests for a server that sends them back. */
export function asEcho(workload: Workload): Workload {
  return { ...workload, checks: workload.checks.map(({ message }) => ({ message, expected: undefined })) };
}
