import { invalidArgument } from '@sluice/domain/errors';
import type { ControlInput } from '@sluice/domain/sequence-batching';
import type { SequenceId } from '@sluice/inference/sequence';
import { encodeTensor } from '@sluice/inference/tensor-data';

/** What a row's request is to its sequence. */
export interface ControlledRow {
  readonly request: { readonly sequence: SequenceId; readonly start: boolean; readonly end: boolean };
}

/** Fills one control tensor of a batch. Rows behind those of requests are padding: not ready, of no sequence. */
export interface ControlWriter {
  /** Bytes that a BYTES tensor takes; 0 for others. */
  bytes(rows: readonly ControlledRow[], count: number): number;
  /** @param count rows of the batch, padding included */
  write(target: Uint8Array, rows: readonly ControlledRow[], count: number): void;
}

/** How the tensor of a control is filled. */
export function controlWriter(control: ControlInput): ControlWriter {
  if (control.kind !== 'corrid') return flagWriter(control);
  return control.datatype === 'BYTES' ? textIdWriter : numberIdWriter(control);
}

function flagWriter({ kind, datatype, falseValue, trueValue }: ControlInput): ControlWriter {
  const no = encodeTensor(datatype, [falseValue]);
  const yes = encodeTensor(datatype, [trueValue]);
  const isTrue = ({ request }: ControlledRow): boolean =>
    kind === 'ready' || (kind === 'start' ? request.start : request.end);
  return {
    bytes: () => 0,
    write: (target, rows, count) => {
      for (let row = 0; row < count; row += 1) {
        target.set(row < rows.length && isTrue(rows[row]!) ? yes : no, row * no.byteLength);
      }
    },
  };
}

function numberIdWriter({ datatype }: ControlInput): ControlWriter {
  const size = datatype === 'UINT64' || datatype === 'INT64' ? 8 : 4;
  return {
    bytes: () => 0,
    write: (target, rows, count) => {
      const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
      for (let row = 0; row < count; row += 1) {
        const id = row < rows.length ? (rows[row]!.request.sequence as bigint) : 0n;
        if (size === 8) view.setBigUint64(row * size, id, true);
        else view.setUint32(row * size, Number(BigInt.asUintN(32, id)), true);
      }
    },
  };
}

/** Bytes of the length before each text. */
const lengthBytes = 4;

const textIdWriter: ControlWriter = {
  bytes: (rows, count) => {
    let bytes = lengthBytes * count;
    for (const { request } of rows) bytes += Buffer.byteLength(request.sequence as string);
    return bytes;
  },
  write: (target, rows, count) => {
    const into = Buffer.from(target.buffer, target.byteOffset, target.byteLength);
    let at = 0;
    for (let row = 0; row < count; row += 1) {
      const text = row < rows.length ? (rows[row]!.request.sequence as string) : '';
      const length = into.write(text, at + lengthBytes);
      into.writeUInt32LE(length, at);
      at += lengthBytes + length;
    }
  },
};

/** What integers fit an id tensor of 32 bits. */
const fits32: Partial<Record<string, (id: bigint) => boolean>> = {
  UINT32: (id) => id === BigInt.asUintN(32, id),
  INT32: (id) => BigInt.asIntN(64, id) === BigInt.asIntN(32, id),
};

/**
 * Holds an id to the tensor that the model takes it in, if it takes it at all.
 * @throws SluiceError invalid-argument that names the parameter
 */
export function checkSequenceId(id: SequenceId, controls: readonly ControlInput[]): void {
  const control = controls.find(({ kind }) => kind === 'corrid');
  if (!control) return;
  const { name, datatype } = control;
  const isText = typeof id === 'string';
  if (isText !== (datatype === 'BYTES')) {
    const [got, expected] = isText ? ['a string', 'an integer'] : ['an integer', 'a string'];
    throw invalidArgument(
      `parameter "sequence_id": expected ${expected}, since the model takes it as ${datatype} in "${name}", got ${got}`,
    );
  }
  if (isText || (fits32[datatype]?.(id) ?? true)) return;
  throw invalidArgument(`parameter "sequence_id": ${id} does not fit ${datatype}, as the model takes it in "${name}"`);
}
