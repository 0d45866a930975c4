import type * as Runtime from 'onnxruntime-node';
import type { Datatype } from '@sluice/domain/datatype';
import type { Signature } from '@sluice/domain/signature';
import { clip } from '@sluice/domain/names';
import type { TensorValues } from './compare.ts';
import type { RowValues, ToHalf } from './rows.ts';

/** ONNX Runtime's names of the datatypes. */
const ortTypes: Readonly<Record<Datatype, string>> = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BF16: 'bfloat16',
  BYTES: 'string',
};

/** One input of a run. */
export interface Feed {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly values: RowValues;
}

const Half = globalThis.Float16Array;

/** Numbers as bits of half precision. */
export const toHalf: ToHalf = (values) => new Uint16Array(Half.from(values).buffer);

/**
 * Loads ONNX Runtime. Where the global Float16Array exists onnxruntime-node reads FP16 inputs as empty, so the global
 * goes first; nothing else in this process may need it.
 */
async function loadRuntime(): Promise<typeof Runtime> {
  Reflect.deleteProperty(globalThis, 'Float16Array');
  return import('onnxruntime-node');
}

/** A loaded model: one thread, on the CPU. */
export class OrtSession {
  readonly #runtime: typeof Runtime;
  readonly #session: Runtime.InferenceSession;
  readonly #signature: Signature;

  private constructor(runtime: typeof Runtime, session: Runtime.InferenceSession, signature: Signature) {
    this.#runtime = runtime;
    this.#session = session;
    this.#signature = signature;
  }

  static async load(file: string, signature: Signature): Promise<OrtSession> {
    const runtime = await loadRuntime();
    const session = await runtime.InferenceSession.create(file, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      logSeverityLevel: 3,
    });
    return new OrtSession(runtime, session, signature);
  }

  /** What the runtime sees otherwise than the scanner did; undefined when both agree. */
  signatureProblem(): string | undefined {
    const compare = (what: string, declared: readonly { name: string }[], loaded: readonly string[]) => {
      const missing = declared.find(({ name }) => !loaded.includes(name));
      return missing && `the runtime has no ${what} "${clip(missing.name)}"`;
    };
    return (
      compare('input', this.#signature.inputs, this.#session.inputNames) ??
      compare('output', this.#signature.outputs, this.#session.outputNames)
    );
  }

  /** Runs once; all outputs in the signature's order. Throws ONNX Runtime's error. */
  async run(feeds: readonly Feed[]): Promise<readonly TensorValues[]> {
    const tensors = Object.fromEntries(feeds.map((feed) => [feed.name, this.#toTensor(feed)]));
    const results = await this.#session.run(tensors);
    return this.#signature.outputs.map((spec) => toValues(spec.name, spec.datatype, results[spec.name]));
  }

  #toTensor(feed: Feed): Runtime.Tensor {
    const Make = this.#runtime.Tensor as new (type: string, data: unknown, dims: readonly number[]) => Runtime.Tensor;
    return new Make(ortTypes[feed.datatype], feed.values, feed.shape);
  }
}

function toValues(name: string, datatype: Datatype, tensor: Runtime.Tensor | undefined): TensorValues {
  if (!tensor) throw new Error(`the runtime gave no output "${clip(name)}"`);
  if (tensor.type !== ortTypes[datatype]) {
    throw new Error(`output "${clip(name)}" is declared ${datatype} and the runtime gave ${tensor.type}`);
  }
  const inexact = datatype === 'FP16' || datatype === 'FP32' || datatype === 'FP64';
  const data = tensor.data as ArrayLike<number | bigint | string>;
  return { name, shape: tensor.dims, inexact, values: datatype === 'FP16' ? fromHalf(data) : data };
}

function fromHalf(data: unknown): ArrayLike<number> {
  const bits = data as Uint16Array;
  return new Half(bits.buffer, bits.byteOffset, bits.length);
}
