import type { Datatype } from '@sluice/domain/datatype';
import { seeded } from '@sluice/domain/generated-rows';
import type { Signature, TensorSpec, WarmupInput, WarmupRequest } from '@sluice/domain/signature';
import { decodeTensor } from '@sluice/inference/tensor-data';
import type { Feed } from './ort-session.ts';
import { joinRows, makeRow, type RowValues, type ToHalf } from './rows.ts';

/** What a warm-up request gives the model. @param seed the same for every run of the same request */
export function warmUpFeeds(request: WarmupRequest, signature: Signature, seed: number, toHalf: ToHalf): Feed[] {
  const uniform = seeded(seed);
  const { batched } = signature;
  const rows = batched ? request.batchSize : 1;
  return signature.inputs.map((spec): Feed => {
    const input = request.inputs.find(({ name }) => name === spec.name)!;
    const rowShape = batched ? input.shape.slice(1) : input.shape;
    const values = valuesOf(spec, input, { rows, rowShape, batched }, uniform, toHalf);
    return { name: spec.name, datatype: spec.datatype, shape: batched ? [rows, ...rowShape] : rowShape, values };
  });
}

function valuesOf(
  spec: TensorSpec,
  { source, shape, base64 }: WarmupInput,
  wanted: { readonly rows: number; readonly rowShape: readonly number[]; readonly batched: boolean },
  uniform: () => number,
  toHalf: ToHalf,
): RowValues {
  const { rows, rowShape, batched } = wanted;
  if (source !== 'data') {
    const kind = source === 'zero' ? 'zeros' : 'random';
    const row = () => makeRow({ spec, range: undefined }, rowShape, kind, uniform, toHalf);
    return joinRows(Array.from({ length: rows }, row));
  }
  const given = decodeValues(spec.datatype, Buffer.from(base64, 'base64'), toHalf);
  return batched && shape[0] === 1 ? joinRows(Array<RowValues>(rows).fill(given)) : given;
}

/** The values of raw bytes, as ONNX Runtime takes them. */
export function decodeValues(datatype: Datatype, raw: Uint8Array, toHalf: ToHalf): RowValues {
  const values = decodeTensor(datatype, raw);
  return datatype === 'FP16' ? toHalf([...(values as Float32Array)]) : values;
}
