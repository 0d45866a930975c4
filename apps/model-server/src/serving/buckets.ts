import type { BucketKey } from '@sluice/batching/contract';
import { SluiceError } from '@sluice/domain/errors';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import type { InferRequest } from '@sluice/inference/infer-request';
import type { BatchPlan, InputPlan, OutputPlan } from '../runtime/batch-plan.ts';
import { nextNumber } from '../runtime/control-block.ts';
import { checkRuntimeDatatype } from '../runtime/datatypes.ts';

/** Plans that one version keeps. Shapes may come from anybody, so the least recently used go. */
const keptPlans = 256;
/** The bucket of every request whose shape and outputs the signature fixes. */
const onlyBucket = 0;

let lastPlanId = 0;

/** Whether outputs may be computed straight into shared memory, by output of the signature. */
export type KnownOutputs = readonly boolean[];

/** Gives each request its shape bucket, and each bucket its plan. */
export class Buckets {
  readonly #signature: Signature;
  readonly #known: KnownOutputs;
  readonly #plans = new Map<BucketKey, BatchPlan>();
  /** Indexes of inputs whose rows have dynamic dimensions. */
  readonly #dynamicInputs: readonly number[];

  /** @param known which outputs have, whatever the request, the shape that the signature states */
  constructor(signature: Signature, known: KnownOutputs) {
    this.#signature = signature;
    this.#known = known;
    this.#dynamicInputs = signature.inputs.flatMap((input, index) =>
      rowDims(signature, input.shape).some((dim) => dim < 0) ? [index] : [],
    );
  }

  /** The plan of a request's bucket; requests of equal shapes and outputs get the same object. */
  planFor(request: InferRequest): { readonly key: BucketKey; readonly plan: BatchPlan } {
    const key = this.#key(request);
    let plan = this.#plans.get(key);
    if (!plan) {
      plan = this.#make(request);
      if (this.#plans.size >= keptPlans) this.#plans.delete(this.#plans.keys().next().value!);
    } else if (key !== onlyBucket) {
      this.#plans.delete(key);
    }
    if (key !== onlyBucket || !this.#plans.has(key)) this.#plans.set(key, plan);
    return { key, plan };
  }

  #key(request: InferRequest): BucketKey {
    const all = request.outputs.length === this.#signature.outputs.length;
    if (this.#dynamicInputs.length === 0 && all) return onlyBucket;
    let key = all ? '' : [...request.outputs].sort((a, b) => a - b).join(',');
    for (const index of this.#dynamicInputs) {
      key += `/${rowDims(this.#signature, request.inputs[index]!.shape).join(',')}`;
    }
    return key;
  }

  #make(request: InferRequest): BatchPlan {
    const inputs = request.inputs.map((input): InputPlan => ({
      name: input.spec.name,
      datatype: checkRuntimeDatatype(input.datatype, input.spec.name),
      dims: rowDims(this.#signature, input.shape),
    }));
    const outputs = [...request.outputs].sort((a, b) => a - b).map((index) => this.#output(index));
    return { id: newPlanId(), batched: this.#signature.batched, inputs, outputs };
  }

  #output(index: number): OutputPlan {
    const spec = this.#signature.outputs[index]!;
    const datatype = checkRuntimeDatatype(spec.datatype, spec.name);
    return { name: spec.name, datatype, dims: this.#known[index] ? rowDims(this.#signature, spec.shape) : undefined };
  }
}

/** A shape without the batch dimension. */
export function rowDims(signature: Signature, shape: readonly number[]): readonly number[] {
  return signature.batched ? shape.slice(1) : shape;
}

/** A number for a plan: another than those of all plans that are still in use. */
export function newPlanId(): number {
  lastPlanId = nextNumber(lastPlanId);
  return lastPlanId;
}

/** True when a row of this tensor has the same shape in every request. */
export function hasFixedRows(signature: Signature, tensor: TensorSpec): boolean {
  return rowDims(signature, tensor.shape).every((dim) => dim >= 0);
}

/**
 * Compares what was pushed with what the session found in the graph.
 * @throws SluiceError failed-precondition naming the tensor and the difference
 */
export function checkAgainstGraph(
  side: 'input' | 'output',
  declared: readonly TensorSpec[],
  loaded: readonly { readonly name: string; readonly datatype: string; readonly shape: readonly number[] }[],
): void {
  const wrong = (problem: string): SluiceError =>
    new SluiceError('failed-precondition', `the graph does not have the signature of the version: ${side} ${problem}`);
  if (declared.length !== loaded.length) {
    throw wrong(`count is ${loaded.length} in the graph, ${declared.length} in the signature`);
  }
  for (const spec of declared) {
    checkRuntimeDatatype(spec.datatype, `${side} "${spec.name}"`);
    const found = loaded.find((tensor) => tensor.name === spec.name);
    if (!found) throw wrong(`"${spec.name}" is not in the graph`);
    if (found.datatype !== spec.datatype) throw wrong(`"${spec.name}" is ${found.datatype}, not ${spec.datatype}`);
  }
}
