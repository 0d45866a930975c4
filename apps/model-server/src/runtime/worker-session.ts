import { env, InferenceSession, Tensor } from 'onnxruntime-node';
import { elementCount, hasFixedLayout, hasOpenOutputs, layoutOf, type BatchPlan } from './batch-plan.ts';
import type { BatchCommand, BatchTiming } from './control-block.ts';
import { elementsView, ortTypes, type RuntimeDatatype } from './datatypes.ts';
import { cpuSession } from './devices.ts';
import type { LoadedTensor, OpenOutput, SessionSettings } from './messages.ts';
import { sessionOptions } from './session-options.ts';
import { encodeStrings, readStrings } from './worker-strings.ts';

type Feeds = Record<string, Tensor>;
type Fetches = Record<string, Tensor | null>;

interface Prepared {
  readonly buffer: SharedArrayBuffer;
  readonly feeds: Feeds;
  readonly fetches: Fetches;
}

/** A batch that ran. `open` is there when some output is not in the batch buffer. */
export interface BatchRun extends BatchTiming {
  readonly open: readonly (OpenOutput | undefined)[] | undefined;
  readonly transfer: readonly ArrayBuffer[];
}

/** Prepared tensors that are kept for reuse, all plans together. */
const keptPreparations = 1024;

const datatypeOf = new Map<string, RuntimeDatatype>(
  Object.entries(ortTypes).map(([datatype, ort]) => [ort, datatype as RuntimeDatatype]),
);

function describe(metadata: readonly InferenceSession.ValueMetadata[], side: string): LoadedTensor[] {
  return metadata.map((value) => {
    if (!value.isTensor) throw new Error(`${side} "${value.name}" is not a tensor, which cannot be served`);
    const datatype = datatypeOf.get(value.type);
    if (!datatype) throw new Error(`${side} "${value.name}" has datatype ${value.type}, which cannot be served`);
    return { name: value.name, datatype, shape: value.shape.map((dim) => (typeof dim === 'number' ? dim : -1)) };
  });
}

/** One ONNX Runtime session inside its worker: batches lie in shared memory, tensors are views of it. */
export class WorkerSession {
  readonly inputs: readonly LoadedTensor[];
  readonly outputs: readonly LoadedTensor[];
  readonly #session: InferenceSession;
  readonly #plans = new Map<number, BatchPlan>();
  readonly #buffers = new Map<number, SharedArrayBuffer>();
  readonly #prepared = new Map<string, Prepared>();

  constructor(session: InferenceSession) {
    this.#session = session;
    this.inputs = describe(session.inputMetadata, 'input');
    this.outputs = describe(session.outputMetadata, 'output');
  }

  static async create(settings: SessionSettings): Promise<WorkerSession> {
    env.logLevel = 'fatal';
    const { graphFile, intraOpThreads, spinning, device = cpuSession } = settings;
    const options = sessionOptions(device, intraOpThreads, spinning);
    return new WorkerSession(await InferenceSession.create(graphFile, options));
  }

  setPlan(plan: BatchPlan): void {
    this.#plans.set(plan.id, plan);
  }

  forgetPlan(id: number): void {
    this.#plans.delete(id);
    this.#forget((key) => key.startsWith(`${id}/`));
  }

  setBuffer(id: number, memory: SharedArrayBuffer): void {
    this.#buffers.set(id, memory);
  }

  forgetBuffer(id: number): void {
    const memory = this.#buffers.get(id);
    this.#buffers.delete(id);
    this.#forget((_key, prepared) => prepared.buffer === memory);
  }

  #forget(matches: (key: string, prepared: Prepared) => boolean): void {
    for (const [key, prepared] of this.#prepared) if (matches(key, prepared)) this.#prepared.delete(key);
  }

  async run(command: BatchCommand): Promise<BatchRun> {
    const started = performance.now();
    const plan = this.#plans.get(command.plan);
    const buffer = this.#buffers.get(command.buffer);
    if (!plan || !buffer)
      throw new Error(`batch names plan ${command.plan} and buffer ${command.buffer}, not known here`);
    const prepared = this.#prepare(plan, buffer, command);
    const readied = performance.now();
    const results = await this.#session.run(prepared.feeds, prepared.fetches);
    const ran = performance.now();
    const transfer: ArrayBuffer[] = [];
    const open = hasOpenOutputs(plan) ? openOutputs(plan, command.rows, results, transfer) : undefined;
    return {
      inputUs: (readied - started) * 1000,
      inferUs: (ran - readied) * 1000,
      outputUs: (performance.now() - ran) * 1000,
      open,
      transfer,
    };
  }

  #prepare(plan: BatchPlan, buffer: SharedArrayBuffer, command: BatchCommand): Prepared {
    if (!hasFixedLayout(plan)) return prepare(plan, buffer, command);
    const key = `${plan.id}/${command.buffer}/${command.capacity}/${command.rows}`;
    const kept = this.#prepared.get(key);
    if (kept) return kept;
    const made = prepare(plan, buffer, command);
    if (this.#prepared.size >= keptPreparations) this.#prepared.clear();
    this.#prepared.set(key, made);
    return made;
  }

  async release(): Promise<void> {
    this.#prepared.clear();
    this.#buffers.clear();
    await this.#session.release();
  }
}

function tensorOf(
  datatype: Exclude<RuntimeDatatype, 'BYTES'>,
  buffer: SharedArrayBuffer,
  at: number,
  dims: readonly number[],
): Tensor {
  const view = elementsView(datatype, buffer, at, elementCount(dims));
  return new Tensor(ortTypes[datatype], view as Tensor.DataType, dims);
}

function prepare(plan: BatchPlan, buffer: SharedArrayBuffer, command: BatchCommand): Prepared {
  const directory = new Uint32Array(buffer, 0, plan.inputs.length);
  const layout = layoutOf(plan, command.capacity, directory);
  const shape = (dims: readonly number[]): number[] => (plan.batched ? [command.rows, ...dims] : [...dims]);
  const feeds: Feeds = {};
  const fetches: Fetches = {};
  plan.inputs.forEach((input, index) => {
    const dims = shape(input.dims);
    const at = layout.inputs[index]!;
    feeds[input.name] =
      input.datatype === 'BYTES'
        ? new Tensor('string', readStrings(buffer, at, directory[index]!, elementCount(dims)), dims)
        : tensorOf(input.datatype, buffer, at, dims);
  });
  plan.outputs.forEach((output, index) => {
    fetches[output.name] =
      output.dims && output.datatype !== 'BYTES'
        ? tensorOf(output.datatype, buffer, layout.outputs[index]!, shape(output.dims))
        : null;
  });
  return { buffer, feeds, fetches };
}

function openOutputs(
  plan: BatchPlan,
  rows: number,
  results: InferenceSession.OnnxValueMapType,
  transfer: ArrayBuffer[],
): (OpenOutput | undefined)[] {
  return plan.outputs.map((output) => {
    if (output.dims && output.datatype !== 'BYTES') return undefined;
    const value = results[output.name] as Tensor;
    const dims = [...value.dims];
    if (output.datatype === 'BYTES') {
      const encoded = encodeStrings(value.data as string[], plan.batched ? rows : 1);
      transfer.push(encoded.bytes.buffer, encoded.rowStarts.buffer);
      return { dims, ...encoded };
    }
    // ONNX Runtime owns the memory behind this view; what leaves the thread must be a copy.
    const data = value.data as unknown as ArrayBufferView;
    const bytes = new Uint8Array(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    transfer.push(bytes.buffer);
    return { dims, bytes, rowStarts: undefined };
  });
}
