import { datatypeBytes } from '@sluice/domain/datatype';
import { clip } from '@sluice/domain/names';
import type { Signature, TensorSpec, WarmupInput, WarmupRequest } from '@sluice/domain/signature';
import { encodeTensor } from '@sluice/inference/tensor-data';
import { checkLiteral, showShape, unknownTensor } from './check-golden.ts';
import type { FlatLiteral } from './literal.ts';
import type { Manifest, ManifestWarmUpRequest } from './manifest.ts';
import type { ManifestPath, ManifestProblems } from './problems.ts';

/** Largest form in which the requests of a version are stored and sent, in characters of JSON. */
const maxRequestsJson = 1024 * 1024;
/** Most bytes of the inputs of one request: runtimes hold them in memory beside the batch. */
const maxRequestBytes = 64 * 1024 * 1024;
/** Most random values of one request: a runtime draws them on the thread that serves, some millions a second. */
const maxRandomValues = 2_000_000;

/** Sizes are for dynamic dimensions that the graph has. */
export function checkDimensions(
  dimensions: Readonly<Record<string, number>>,
  signature: Signature,
  problems: ManifestProblems,
): void {
  const known = new Set(
    signature.inputs.flatMap((spec) => spec.dimNames.slice(signature.batched ? 1 : 0)).filter(Boolean),
  );
  for (const name of Object.keys(dimensions)) {
    if (known.has(name)) continue;
    problems.addKey(['warm_up', 'dimensions'], name, () => {
      const names = [...known].slice(0, 20).map((one) => clip(one));
      return `no input has such a dynamic dimension beside the batch; expected ${names.join(', ') || 'none'}`;
    });
  }
}

/** Holds `warm_up.requests` to the graph's signature and makes of them what runtimes run. */
export function warmUpRequests(
  manifest: Manifest,
  signature: Signature,
  maxBatchSize: number,
  problems: ManifestProblems,
): readonly WarmupRequest[] {
  const { requests, dimensions } = manifest.warmUp;
  const seen = new Set<string>();
  const made = requests.map((request, index) => {
    const path = ['warm_up', 'requests', index];
    if (seen.has(request.name)) {
      problems.add([...path, 'name'], `the warm-up request "${clip(request.name)}" is given twice`);
    }
    seen.add(request.name);
    checkBatchSize(request, signature, maxBatchSize, path, problems);
    return new RequestCheck(request, signature, dimensions, path, problems).made();
  });
  const { length } = JSON.stringify(made);
  if (length > maxRequestsJson) {
    problems.add(
      ['warm_up', 'requests'],
      `expected at most ${maxRequestsJson} bytes in the form in which they are stored, got ${length}`,
    );
  }
  return made;
}

function checkBatchSize(
  { batchSize }: ManifestWarmUpRequest,
  signature: Signature,
  maxBatchSize: number,
  path: ManifestPath,
  problems: ManifestProblems,
): void {
  const at = [...path, 'batch_size'];
  if (!signature.batched && batchSize > 1) {
    problems.add(at, `expected 1, since the graph has no batch dimension, got ${batchSize}`);
  } else if (signature.batched && maxBatchSize > 0 && batchSize > maxBatchSize) {
    problems.add(at, `expected at most max_batch_size (${maxBatchSize}), got ${batchSize}`);
  }
}

const elementsOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** One request, input by input. */
class RequestCheck {
  readonly #request: ManifestWarmUpRequest;
  readonly #signature: Signature;
  readonly #dimensions: Readonly<Record<string, number>>;
  readonly #path: ManifestPath;
  readonly #problems: ManifestProblems;
  /** Values that were given, by input. */
  readonly #given = new Map<string, FlatLiteral>();

  constructor(
    request: ManifestWarmUpRequest,
    signature: Signature,
    dimensions: Readonly<Record<string, number>>,
    path: ManifestPath,
    problems: ManifestProblems,
  ) {
    this.#request = request;
    this.#signature = signature;
    this.#dimensions = dimensions;
    this.#path = path;
    this.#problems = problems;
  }

  made(): WarmupRequest {
    const { name, batchSize, count, inputs } = this.#request;
    const { inputs: specs } = this.#signature;
    for (const input of Object.keys(inputs)) {
      if (specs.some((spec) => spec.name === input)) continue;
      this.#problems.addKey([...this.#path, 'inputs'], input, () => unknownTensor('inputs', input, specs));
    }
    // Values first: they say how long dynamic dimensions are.
    for (const spec of specs) this.#checkData(spec);
    const made = specs.map((spec) => this.#input(spec)).filter((input) => input !== undefined);
    const bytes = made.reduce((sum, input) => sum + this.#bytesOf(input), 0);
    if (bytes > maxRequestBytes) {
      this.#problems.add(this.#path, `expected at most ${maxRequestBytes} bytes of inputs, got ${bytes}`);
    }
    const random = made.reduce((sum, { source, shape }) => sum + (source === 'random' ? elementsOf(shape) : 0), 0);
    if (random > maxRandomValues) {
      this.#problems.add(
        this.#path,
        `expected at most ${maxRandomValues} random values, got ${random}: give fewer rows, zero or values`,
      );
    }
    return { name, batchSize, count, inputs: made };
  }

  /** What was written for an input; undefined also where it is none of the map's own. */
  #said(spec: TensorSpec) {
    const { inputs } = this.#request;
    return Object.hasOwn(inputs, spec.name) ? inputs[spec.name] : undefined;
  }

  #checkData(spec: TensorSpec): void {
    const literal = this.#said(spec);
    if (literal === undefined || literal === 'zero' || literal === 'random') return;
    const at = [...this.#path, 'inputs', spec.name];
    if (typeof literal === 'string') {
      this.#problems.add(
        at,
        () => `expected zero, random or values in nested lists, got ${this.#problems.valueAt(at)}`,
      );
      return;
    }
    const flat = checkLiteral(literal, spec, at, this.#problems);
    if (!flat) return;
    const { batchSize } = this.#request;
    const rows = flat.shape[0];
    if (this.#signature.batched && rows !== 1 && rows !== batchSize) {
      const expected = batchSize === 1 ? '1 row, as the batch_size' : `1 row or ${batchSize}, as the batch_size`;
      this.#problems.add(at, `expected ${expected}, got ${rows}`);
      return;
    }
    this.#given.set(spec.name, flat);
  }

  #input(spec: TensorSpec): WarmupInput | undefined {
    const { name } = spec;
    const flat = this.#given.get(name);
    if (flat) {
      const base64 = Buffer.from(encodeTensor(spec.datatype, flat.values)).toString('base64');
      return { name, source: 'data', shape: flat.shape, base64 };
    }
    const source = this.#said(spec);
    if (source === 'zero' || source === 'random') {
      const shape = this.#generatedShape(spec);
      return shape && { name, source, shape, base64: '' };
    }
    if (source === undefined) this.#problems.add([...this.#path, 'inputs'], `the input "${clip(name)}" is missing`);
    return undefined;
  }

  /** The shape of a generated input; undefined when nobody said how long a dimension is. */
  #generatedShape(spec: TensorSpec): number[] | undefined {
    const { batched } = this.#signature;
    const shape: number[] = [];
    for (const [axis, size] of spec.shape.entries()) {
      const name = spec.dimNames[axis] ?? '';
      const found = axis === 0 && batched ? this.#request.batchSize : size >= 0 ? size : this.#sizeOf(name);
      if (found === undefined) {
        const how = name === '' ? 'give values' : `give it in warm_up.dimensions as ${clip(JSON.stringify(name))}`;
        this.#problems.add(
          [...this.#path, 'inputs', spec.name],
          `dimension ${axis} of ${showShape(spec)} has no size: ${how}`,
        );
        return undefined;
      }
      shape.push(found);
    }
    return shape;
  }

  /** The size of a dynamic dimension: that of the values of another input, or of `warm_up.dimensions`. */
  #sizeOf(dimName: string): number | undefined {
    if (dimName === '') return undefined;
    for (const spec of this.#signature.inputs) {
      const axis = spec.dimNames.indexOf(dimName, this.#signature.batched ? 1 : 0);
      const size = axis < 0 ? undefined : this.#given.get(spec.name)?.shape[axis];
      if (size !== undefined) return size;
    }
    return Object.hasOwn(this.#dimensions, dimName) ? this.#dimensions[dimName] : undefined;
  }

  /** Bytes of all rows; those of text are at least the four of its length. */
  #bytesOf({ name, source, shape, base64 }: WarmupInput): number {
    const rowsGiven = this.#signature.batched ? shape[0]! : 1;
    const repeated = this.#signature.batched ? this.#request.batchSize / Math.max(1, rowsGiven) : 1;
    if (source === 'data') return (base64.length / 4) * 3 * repeated;
    const { datatype } = this.#signature.inputs.find((spec) => spec.name === name)!;
    return elementsOf(shape) * (datatype === 'BYTES' ? 5 : datatypeBytes[datatype]);
  }
}
