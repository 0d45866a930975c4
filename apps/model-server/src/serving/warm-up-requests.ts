import { SluiceError } from '@sluice/domain/errors';
import { generatePart, seeded } from '@sluice/domain/generated-rows';
import type { ServingConfig, Signature, TensorSpec, WarmupInput, WarmupRequest } from '@sluice/domain/signature';
import { decodeTensor, encodeTensor } from '@sluice/inference/tensor-data';
import { elementCount, rowBytes, type BatchPlan, type InputPlan } from '../runtime/batch-plan.ts';
import { checkRuntimeDatatype } from '../runtime/datatypes.ts';
import { firstRow, repeated } from './sequences/first-rows.ts';
import { newPlanId, rowDims, type KnownOutputs } from './buckets.ts';

/** A warm-up request as a batch. */
export interface PreparedRequest {
  readonly plan: BatchPlan;
  readonly rows: number;
  /** By input of the plan, the bytes of all rows. */
  readonly bytes: readonly Uint8Array[];
}

/** How the values of a request are made. */
export interface Making {
  /** Of generated values: the same values for the same seed. */
  readonly seed: number;
  /** Asked between two turns; what it throws ends the making. */
  readonly goOn: () => void;
}

/** Elements that are generated in one turn of the event loop, in a few ms: other versions serve meanwhile. */
const elementsPerTurn = 10_000;

/**
 * Makes of a version's warm-up request the batch that is run. A request with more rows than a batch may have here is cut.
 * @throws SluiceError data-loss when it does not fit the signature, which the registry checked
 */
export async function prepareRequest(
  request: WarmupRequest,
  signature: Signature,
  serving: ServingConfig,
  known: KnownOutputs,
  { seed, goOn }: Making,
): Promise<PreparedRequest> {
  const most = serving.maxBatchSize === 0 ? request.batchSize : serving.maxBatchSize;
  const rows = signature.batched ? Math.min(request.batchSize, most) : 1;
  const uniform = seeded(seed);
  const inputs: InputPlan[] = [];
  const bytes: Uint8Array[] = [];
  for (const spec of signature.inputs) {
    const own = firstRow(serving.sequenceBatching, spec.name);
    if (own) {
      inputs.push(rowPlan(spec, rowDims(signature, spec.shape)));
      bytes.push(own.byteLength > 0 ? repeated(own, rows) : new Uint8Array(rows * rowBytes(inputs.at(-1)!)));
      continue;
    }
    const input = request.inputs.find(({ name }) => name === spec.name);
    if (!input) throw unusable(request, `input "${spec.name}" is missing`);
    checkShape(request, input, spec, signature.batched);
    const plan = rowPlan(spec, rowDims(signature, input.shape));
    inputs.push(plan);
    bytes.push(
      input.source === 'data'
        ? givenBytes(request, input, plan, { rows, batched: signature.batched })
        : await generatedBytes(spec, plan, { rows, kind: input.source === 'zero' ? 'zeros' : 'random', uniform, goOn }),
    );
  }
  const outputs = signature.outputs.map((output, index) => ({
    name: output.name,
    datatype: checkRuntimeDatatype(output.datatype, output.name),
    dims: known[index] ? rowDims(signature, output.shape) : undefined,
  }));
  return { plan: { id: newPlanId(), batched: signature.batched, inputs, outputs }, rows, bytes };
}

const rowPlan = ({ name, datatype }: TensorSpec, dims: readonly number[]): InputPlan => ({
  name,
  datatype: checkRuntimeDatatype(datatype, name),
  dims,
});

const unusable = ({ name }: WarmupRequest, problem: string): SluiceError =>
  new SluiceError('data-loss', `warm-up "${name}" does not fit the signature of the version: ${problem}`);

function checkShape(request: WarmupRequest, { shape }: WarmupInput, spec: TensorSpec, batched: boolean): void {
  const fits =
    shape.length === spec.shape.length &&
    shape.every((size, axis) => size >= 0 && (spec.shape[axis] === -1 || spec.shape[axis] === size)) &&
    (!batched || shape[0] === 1 || shape[0] === request.batchSize);
  if (fits) return;
  throw unusable(request, `input "${spec.name}" has the shape [${shape.join(', ')}], not [${spec.shape.join(', ')}]`);
}

/** The first `rows` of the rows that were given, or as many of the one. */
function givenBytes(
  request: WarmupRequest,
  input: WarmupInput,
  plan: InputPlan,
  wanted: { readonly rows: number; readonly batched: boolean },
): Uint8Array {
  const { rows } = wanted;
  const given = wanted.batched ? input.shape[0]! : 1;
  const raw = Buffer.from(input.base64, 'base64');
  const elements = elementCount(plan.dims);
  if (plan.datatype === 'BYTES') {
    const text = decodeTensor('BYTES', raw) as string[];
    if (text.length !== given * elements) throw unusable(request, `input "${plan.name}" has ${text.length} elements`);
    const wantedText = given === 1 ? Array<string[]>(rows).fill(text).flat() : text.slice(0, rows * elements);
    return encodeTensor('BYTES', wantedText);
  }
  const perRow = rowBytes(plan);
  if (raw.byteLength !== given * perRow) throw unusable(request, `input "${plan.name}" has ${raw.byteLength} bytes`);
  if (given !== 1) return raw.subarray(0, rows * perRow);
  return Buffer.alloc(rows * perRow, raw);
}

async function generatedBytes(
  spec: TensorSpec,
  plan: InputPlan,
  how: {
    readonly rows: number;
    readonly kind: 'zeros' | 'random';
    readonly uniform: () => number;
    readonly goOn: () => void;
  },
): Promise<Uint8Array> {
  const { rows, kind, uniform, goOn } = how;
  const elements = elementCount(plan.dims);
  // Zeros of any datatype are bytes that are 0; so is the length of an empty text.
  if (kind === 'zeros') return new Uint8Array(rows * (plan.datatype === 'BYTES' ? 4 * elements : rowBytes(plan)));
  const parts: Uint8Array[] = [];
  let made = 0;
  for (let row = 0; row < rows; row += 1) {
    for (let from = 0; from < elements;) {
      const to = Math.min(elements, from + elementsPerTurn - made);
      parts.push(encodeTensor(plan.datatype, generatePart(spec, plan.dims, kind, uniform, { from, to })));
      made += to - from;
      from = to;
      if (made < elementsPerTurn) continue;
      await new Promise((resolve) => void setImmediate(resolve));
      goOn();
      made = 0;
    }
  }
  return Buffer.concat(parts);
}
