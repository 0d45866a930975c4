import type { Datatype } from '@sluice/domain/datatype';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import type { GraphDim, GraphInfo, GraphTensor } from './graph-info.ts';

/** ONNX element types that the runtime takes, by number. */
const datatypes: Readonly<Record<number, Datatype>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
};

/** Names of those that it does not. */
const unsupported: Readonly<Record<number, string>> = {
  14: 'COMPLEX64',
  15: 'COMPLEX128',
  16: 'BFLOAT16',
  17: 'FLOAT8E4M3FN',
  18: 'FLOAT8E4M3FNUZ',
  19: 'FLOAT8E5M2',
  20: 'FLOAT8E5M2FNUZ',
  21: 'UINT4',
  22: 'INT4',
  23: 'FLOAT4E2M1',
  24: 'FLOAT8E8M0',
  25: 'UINT2',
  26: 'INT2',
};

const maxTensors = 1000;
/** As long as `sluice.yaml` takes them. */
const maxNameBytes = 1000;
/** Bytes of a signature as JSON: routers and runtimes are told the signatures of all versions that they load. */
export const maxSignatureBytes = 4 * 1024 * 1024;
/** Problems that are shown; each is about a tensor, and there may be thousands. */
const maxShown = 20;

/**
 * The signature that a graph declares, without the features that only `sluice.yaml` or metadata know. Throws
 * `invalid-argument` with every input and output that cannot be served and what to do about it.
 */
export function signatureOf(graph: GraphInfo): Signature {
  const problems: string[] = [];
  const inputs = specsOf('input', graph.inputs, problems);
  const outputs = specsOf('output', graph.outputs, problems);
  if (graph.outputs.length === 0) problems.push('the graph has no output');
  if (problems.length > maxShown)
    problems.splice(maxShown, Infinity, `and ${problems.length - maxShown} problems more`);
  if (problems.length > 0) throw invalidArgument(`the graph cannot be served: ${problems.join('; ')}`);
  return { inputs, outputs, batched: isBatched(inputs, outputs) };
}

function specsOf(what: string, tensors: readonly GraphTensor[], problems: string[]): TensorSpec[] {
  if (tensors.length > maxTensors) problems.push(`${tensors.length} ${what}s; at most ${maxTensors}`);
  const seen = new Set<string>();
  const specs: TensorSpec[] = [];
  for (const tensor of tensors.slice(0, maxTensors)) {
    const name = `${what} "${clip(tensor.name)}"`;
    if (tensor.name === '') problems.push(`an ${what} without a name`);
    if (seen.has(tensor.name)) problems.push(`${name} is declared twice`);
    seen.add(tensor.name);
    const problem = problemOf(tensor);
    if (problem) problems.push(`${name} ${problem}`);
    else specs.push(specOf(tensor));
  }
  return specs;
}

function problemOf(tensor: GraphTensor): string | undefined {
  if (isTooLong(tensor.name)) return `has a name of ${Buffer.byteLength(tensor.name)} bytes; at most ${maxNameBytes}`;
  if (tensor.kind === 'untyped') return 'has no type';
  if (tensor.kind !== 'tensor') {
    return `is a ${tensor.kind}; only tensors can be served (export again without it: for scikit-learn, zipmap=False)`;
  }
  if (!datatypes[tensor.elemType]) {
    const type = unsupported[tensor.elemType] ?? `type ${tensor.elemType}`;
    return `has datatype ${type}, which ONNX Runtime for Node does not take; add a Cast to FP32 or another of BOOL, INT8 to UINT64, FP16, FP32, FP64, STRING`;
  }
  if (!tensor.shape) {
    return 'has no shape in the graph; run onnx.shape_inference.infer_shapes, or export it with its shape';
  }
  const index = tensor.shape.findIndex((dim) => dim.kind === 'param' && isTooLong(dim.name));
  if (index >= 0) return `has a name of more than ${maxNameBytes} bytes for dimension ${index}; give it a short one`;
  return undefined;
}

const isTooLong = (name: string): boolean => Buffer.byteLength(name) > maxNameBytes;

/** Refuses a signature that is too large to be told to everybody who needs it, naming the tensor that is the largest. */
export function checkSignatureBytes(signature: Signature): void {
  const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));
  const bytes = bytesOf(signature);
  if (bytes <= maxSignatureBytes) return;
  const [largest] = [...signature.inputs, ...signature.outputs].sort((left, right) => bytesOf(right) - bytesOf(left));
  throw invalidArgument(
    `the signature has ${bytes} bytes; at most ${maxSignatureBytes}. The largest part is "${clip(largest!.name)}" with ` +
      `${largest!.features.length} features: give it shorter feature names, or none`,
  );
}

function specOf(tensor: GraphTensor): TensorSpec {
  const shape = tensor.shape!;
  return {
    name: tensor.name,
    datatype: datatypes[tensor.elemType]!,
    shape: shape.map((dim) => (dim.kind === 'value' ? dim.value : -1)),
    dimNames: shape.map((dim: GraphDim) => (dim.kind === 'param' ? dim.name : '')),
    features: [],
  };
}

/**
 * True when the first dimension of every tensor is dynamic and those that have a name have the same. Dimensions without
 * a name are taken to be the batch; admission runs two rows to see whether they are.
 */
function isBatched(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): boolean {
  if (inputs.length === 0) return false;
  const all = [...inputs, ...outputs];
  if (!all.every((tensor) => tensor.shape[0] === -1)) return false;
  const names = new Set(all.map((tensor) => tensor.dimNames[0]).filter((name) => name !== ''));
  return names.size <= 1;
}

/** Why the rows of a signature cannot be batched, for people; '' when they can. */
export function whyNotBatched(signature: Signature): string {
  if (signature.batched) return '';
  if (signature.inputs.length === 0) return 'the graph has no input';
  const all = [
    ...signature.inputs.map((tensor) => ({ tensor, what: `input "${clip(tensor.name)}"` })),
    ...signature.outputs.map((tensor) => ({ tensor, what: `output "${clip(tensor.name)}"` })),
  ];
  const fixed = all.find(({ tensor }) => tensor.shape[0] !== -1);
  if (fixed) {
    const first = fixed.tensor.shape[0];
    return first === undefined
      ? `${fixed.what} is a scalar`
      : `the first dimension of ${fixed.what} is ${first}, not a dynamic batch`;
  }
  const named = all.filter(({ tensor }) => tensor.dimNames[0] !== '');
  const other = named.find(({ tensor }) => tensor.dimNames[0] !== named[0]!.tensor.dimNames[0]);
  return `the first dimensions of ${named[0]!.what} and ${other!.what} have different names ("${clip(named[0]!.tensor.dimNames[0]!)}" and "${clip(other!.tensor.dimNames[0]!)}")`;
}

/**
 * Feature names that exporters keep in the graph's `metadata_props` under `feature_names`: a JSON list, or names
 * separated by commas. Undefined when there are none, or they are neither, or more than a signature could have.
 */
export function featureNamesIn(metadata: Readonly<Record<string, string>>): readonly string[] | undefined {
  const text = metadata['feature_names']?.trim();
  if (!text || text.length > maxSignatureBytes) return undefined;
  if (text.startsWith('[')) {
    try {
      const parsed: unknown = JSON.parse(text);
      const isList = Array.isArray(parsed) && parsed.length > 0;
      return isList && parsed.every((name) => typeof name === 'string' && name !== '')
        ? (parsed as string[])
        : undefined;
    } catch {
      return undefined;
    }
  }
  const names = text.split(',').map((name) => name.trim());
  return names.includes('') ? undefined : names;
}
