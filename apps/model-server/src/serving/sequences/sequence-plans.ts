import { graphSignatureOf, type SequenceBatching } from '@sluice/domain/sequence-batching';
import type { Signature } from '@sluice/domain/signature';
import type { BatchPlan, InputPlan, OutputPlan } from '../../runtime/batch-plan.ts';
import { checkRuntimeDatatype } from '../../runtime/datatypes.ts';
import { newPlanId, rowDims, type KnownOutputs } from '../buckets.ts';

/** How a batch of a bucket runs: the tensors of its requests, then controls, then states. */
export interface SequencePlan {
  readonly plan: BatchPlan;
  /** Outputs that requests get: the first of the plan's. */
  readonly answered: number;
  /** By state, which output of the plan is its next value. */
  readonly stateOutputs: readonly number[];
}

/** Adds the tensors that the runtime fills and keeps to the plans of what clients send. */
export class SequencePlans {
  readonly #sequences: SequenceBatching;
  readonly #inputs: readonly InputPlan[];
  readonly #stateOutputs: readonly OutputPlan[];
  readonly #made = new WeakMap<BatchPlan, SequencePlan>();

  /** @param known as `KnownOutputs`, by output of the graph's signature */
  constructor(signature: Signature, sequences: SequenceBatching, known: KnownOutputs) {
    const graph = graphSignatureOf(signature, sequences);
    this.#sequences = sequences;
    this.#inputs = graph.inputs.slice(signature.inputs.length).map(({ name, datatype, shape }) => ({
      name,
      datatype: checkRuntimeDatatype(datatype, name),
      dims: rowDims(graph, shape),
    }));
    this.#stateOutputs = sequences.states.map(({ outputName: name, datatype, dims }) => ({
      name,
      datatype: checkRuntimeDatatype(datatype, name),
      dims: known[graph.outputs.findIndex((output) => output.name === name)] ? dims : undefined,
    }));
  }

  /** @param client the plan of a bucket of requests; equal ones get the same */
  of(client: BatchPlan): SequencePlan {
    let made = this.#made.get(client);
    if (!made) {
      made = this.#make(client);
      this.#made.set(client, made);
    }
    return made;
  }

  #make(client: BatchPlan): SequencePlan {
    const kept = this.#stateOutputs.filter(({ name }) => client.outputs.every((output) => output.name !== name));
    const outputs = [...client.outputs, ...kept];
    return {
      plan: { id: newPlanId(), batched: client.batched, inputs: [...client.inputs, ...this.#inputs], outputs },
      answered: client.outputs.length,
      stateOutputs: this.#sequences.states.map((state) => outputs.findIndex(({ name }) => name === state.outputName)),
    };
  }
}
