import { datatypeBytes } from '@sluice/domain/datatype';
import { clip } from '@sluice/domain/names';
import {
  type ControlInput,
  type ControlKind,
  correlationDatatypes,
  defaultSequenceIdleMicroseconds,
  type SequenceBatching,
  type SequenceState,
} from '@sluice/domain/sequence-batching';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { showShape, unknownTensor } from './check-golden.ts';
import type { Manifest, ManifestControl, ManifestSequences, ManifestState } from './manifest.ts';
import type { ManifestPath, ManifestProblems } from './problems.ts';

/** Pushed files that `sluice.yaml` names as data, by path; without bytes where they are more than are read. */
export type DataFiles = ReadonlyMap<string, { readonly size: number; readonly bytes: Uint8Array | undefined }>;

/** Most bytes of the initial states of a version together: runtimes are told them with its settings. */
export const maxInitialBytes = 1024 * 1024;
/** Most bytes of one state of one sequence. */
const maxStateBytes = 64 * 1024 * 1024;

const root = 'sequence_batching';

/**
 * Holds `sequence_batching` to the graph and makes of it what runtimes run; undefined where there is none.
 * @param graph the signature that the graph declares
 */
export function describeSequences(
  manifest: Manifest,
  graph: Signature,
  files: DataFiles,
  problems: ManifestProblems,
): SequenceBatching | undefined {
  const { sequences } = manifest;
  if (!sequences) return undefined;
  refuseOtherBatching(manifest, problems);
  const check = new SequenceCheck(sequences, graph, files, problems);
  const described: SequenceBatching = {
    maxSequenceIdleMicroseconds: sequences.maxSequenceIdleMicroseconds ?? defaultSequenceIdleMicroseconds,
    maxQueueDelayMicroseconds: sequences.maxQueueDelayMicroseconds ?? 0,
    minimumSlotUtilization: sequences.minimumSlotUtilization ?? 0,
    controlInputs: check.controls(),
    states: check.states(),
  };
  if (graph.inputs.every(({ name }) => isFilled(described, name)))
    problems.add([root], 'expected an input of the graph that clients send; all are controls or states');
  return described;
}

const isFilled = ({ controlInputs, states }: SequenceBatching, input: string): boolean =>
  controlInputs.some(({ name }) => name === input) || states.some(({ inputName }) => inputName === input);

/**
 * What clients send and get: without the inputs that the runtime fills, and without the outputs that are only the next state.
 * One that `signature.outputs` names is given to clients too.
 */
export function servedSignature(graph: Signature, sequences: SequenceBatching | undefined, said: Manifest): Signature {
  if (!sequences) return graph;
  const isKept = (output: string): boolean =>
    sequences.states.some(({ outputName }) => outputName === output) &&
    said.outputs.every(({ name }) => name !== output);
  return {
    inputs: graph.inputs.filter(({ name }) => !isFilled(sequences, name)),
    outputs: graph.outputs.filter(({ name }) => !isKept(name)),
    batched: graph.batched,
  };
}

/** Knobs that mean nothing to sequences, or something else. */
function refuseOtherBatching({ batching }: Manifest, problems: ManifestProblems): void {
  const refuse = (key: string, isSaid: boolean, why: string): void => {
    if (isSaid) problems.addKey(['batching'], key, `expected nothing, since there is ${root}: ${why}`);
  };
  const packed = 'a batch has the requests that are there';
  refuse('preferred_batch_size', batching.preferredBatchSize !== undefined, packed);
  const delay = `${root}.direct.max_queue_delay_microseconds says it`;
  refuse('max_queue_delay_microseconds', batching.maxQueueDelayMicroseconds !== undefined, delay);
  refuse('preserve_ordering', batching.preserveOrdering !== undefined, 'requests of a sequence keep their order');
  refuse('timeout_action', batching.timeoutAction === 'delay', 'requests of a sequence keep their order');
  refuse('priority_levels', (batching.priorityLevels ?? 0) > 0, 'requests of a sequence keep their order');
}

const rowDims = ({ shape }: TensorSpec, { batched }: Signature): readonly number[] =>
  batched ? shape.slice(1) : shape;

class SequenceCheck {
  readonly #said: ManifestSequences;
  readonly #graph: Signature;
  readonly #files: DataFiles;
  readonly #problems: ManifestProblems;
  /** Inputs and outputs that are something already. */
  readonly #used = new Set<string>();
  readonly #kinds = new Set<ControlKind>();
  #initialBytes = 0;

  constructor(said: ManifestSequences, graph: Signature, files: DataFiles, problems: ManifestProblems) {
    this.#said = said;
    this.#graph = graph;
    this.#files = files;
    this.#problems = problems;
  }

  controls(): ControlInput[] {
    return this.#said.controls.flatMap((said, index) => this.#control(said, [root, 'control_input', index]) ?? []);
  }

  states(): SequenceState[] {
    return this.#said.states.flatMap((said, index) => this.#state(said, [root, 'state', index]) ?? []);
  }

  /** The tensor of that name, if it is there and nothing else yet. */
  #tensor(side: 'inputs' | 'outputs', name: string, path: ManifestPath): TensorSpec | undefined {
    const spec = this.#graph[side].find((tensor) => tensor.name === name);
    if (!spec) this.#problems.add(path, () => unknownTensor(side, name, this.#graph[side]));
    const key = `${side} ${name}`;
    if (this.#used.has(key)) this.#problems.add(path, `"${clip(name)}" is given twice`);
    this.#used.add(key);
    return spec;
  }

  #control(said: ManifestControl, path: ManifestPath): ControlInput | undefined {
    const { name, control: kind } = said;
    const spec = this.#tensor('inputs', name, [...path, 'name']);
    if (this.#kinds.has(kind)) this.#problems.add([...path, 'control'], `the control ${kind} is given twice`);
    this.#kinds.add(kind);
    if (!spec) return undefined;
    const dims = rowDims(spec, this.#graph);
    if (dims.some((dim) => dim !== 1)) {
      this.#problems.add([...path, 'name'], `expected one element a row, "${clip(name)}" has ${showShape(spec)}`);
    }
    const values = kind === 'corrid' ? this.#id(said, spec, path) : this.#flag(said, spec, path);
    return values && { name, kind, datatype: spec.datatype, dims, ...values };
  }

  #flag(said: ManifestControl, spec: TensorSpec, path: ManifestPath): Values | undefined {
    const given = [
      { key: 'int32_false_true', datatype: 'INT32', values: said.int32 },
      { key: 'fp32_false_true', datatype: 'FP32', values: said.fp32 },
      { key: 'bool_false_true', datatype: 'BOOL', values: said.bool },
    ].filter(({ values }) => values !== undefined);
    if (said.dataType !== undefined) this.#problems.addKey(path, 'data_type', 'expected nothing: it is for corrid');
    const [only, ...others] = given;
    if (!only || others.length > 0) {
      const got = given.map(({ key }) => key).join(' and ') || 'none';
      const expected = 'expected one of int32_false_true, fp32_false_true and bool_false_true';
      this.#problems.add(path, `${expected} for the control ${said.control}, got ${got}`);
      return undefined;
    }
    if (spec.datatype !== only.datatype) {
      const is = `"${clip(spec.name)}" is ${spec.datatype}`;
      this.#problems.addKey(path, only.key, `expected the input to be ${only.datatype}, ${is}`);
    }
    const [falseValue, trueValue] = only.values!;
    return { falseValue: Number(falseValue), trueValue: Number(trueValue) };
  }

  #id(said: ManifestControl, spec: TensorSpec, path: ManifestPath): Values {
    if (said.int32 ?? said.fp32 ?? said.bool) {
      this.#problems.add(path, 'expected no values of false and true: corrid is the id of the sequence');
    }
    if (!correlationDatatypes.some((datatype) => datatype === spec.datatype)) {
      const expected = `expected an input of ${correlationDatatypes.join(', ')} for the control corrid`;
      this.#problems.add([...path, 'name'], `${expected}, "${clip(spec.name)}" is ${spec.datatype}`);
    }
    this.#sameDatatype(said.dataType, spec, path);
    return { falseValue: 0, trueValue: 0 };
  }

  #sameDatatype(said: string | undefined, { name, datatype }: TensorSpec, path: ManifestPath): void {
    if (said === undefined || said === datatype) return;
    this.#problems.add([...path, 'data_type'], `expected ${datatype}, as "${clip(name)}" is, got ${clip(said)}`);
  }

  #state(said: ManifestState, path: ManifestPath): SequenceState | undefined {
    const { inputName, outputName } = said;
    const input = this.#tensor('inputs', inputName, [...path, 'input_name']);
    const output = this.#tensor('outputs', outputName, [...path, 'output_name']);
    if (!input || !output) return undefined;
    this.#sameDatatype(said.dataType, input, path);
    if (input.datatype !== output.datatype) {
      const are = `"${clip(inputName)}" is ${input.datatype} and "${clip(outputName)}" ${output.datatype}`;
      this.#problems.add(path, `expected one datatype for both, ${are}`);
    }
    if (input.datatype === 'BYTES') {
      this.#problems.add(path, `expected a datatype of a fixed size, "${clip(inputName)}" is BYTES`);
      return undefined;
    }
    const dims = this.#dims(said, input, output, path);
    if (!dims) return undefined;
    const bytes = dims.reduce((product, dim) => product * dim, datatypeBytes[input.datatype]);
    if (bytes > maxStateBytes) {
      this.#problems.add(path, `expected at most ${maxStateBytes} bytes of a state, got ${bytes}`);
    }
    const initialBase64 = this.#initial(said, bytes, [...path, 'initial_state']);
    return { inputName, outputName, datatype: input.datatype, dims, initialBase64 };
  }

  /** The shape of a row of both tensors: what a dimension that is dynamic in the graph is, `dims` says. */
  #dims(said: ManifestState, input: TensorSpec, output: TensorSpec, path: ManifestPath): readonly number[] | undefined {
    const [from, to] = [rowDims(input, this.#graph), rowDims(output, this.#graph)];
    const dims = said.dims ?? from;
    const fits = (own: readonly number[]): boolean =>
      own.length === dims.length && own.every((dim, axis) => dim === -1 || dims[axis] === -1 || dim === dims[axis]);
    const wrong = [input, output].find((_, index) => !fits([from, to][index]!));
    if (wrong) {
      const at = said.dims ? [...path, 'dims'] : path;
      this.#problems.add(
        at,
        `expected the shape [${dims.join(', ')}] of a row, "${clip(wrong.name)}" has ${showShape(wrong)}`,
      );
      return undefined;
    }
    if (dims.every((dim) => dim > 0)) return dims;
    const has = `a row of "${clip(input.name)}" has [${dims.join(', ')}]`;
    this.#problems.add(path, `expected a state of a fixed size, ${has}: give its size in dims`);
    return undefined;
  }

  #initial({ zeroData, dataFile }: ManifestState, bytes: number, path: ManifestPath): string {
    if (dataFile === undefined) {
      if (zeroData === false) this.#problems.add(path, 'expected zero_data: true or a data_file');
      return '';
    }
    const at = [...path, 'data_file'];
    if (zeroData === true) this.#problems.add(path, 'expected one of zero_data and data_file, got both');
    const file = this.#files.get(dataFile);
    if (!file) {
      this.#problems.add(at, `"${clip(dataFile)}" is not among the files`);
      return '';
    }
    if (file.size !== bytes) {
      this.#problems.add(at, `expected ${bytes} bytes, one row of the state, "${clip(dataFile)}" has ${file.size}`);
      return '';
    }
    this.#initialBytes += bytes;
    if (file.bytes && this.#initialBytes <= maxInitialBytes) return Buffer.from(file.bytes).toString('base64');
    this.#problems.add(at, `expected at most ${maxInitialBytes} bytes of initial states together`);
    return '';
  }
}

type Values = Pick<ControlInput, 'falseValue' | 'trueValue'>;
