import { isDatatype } from '@sluice/domain/datatype';
import type { Datatype } from '@sluice/domain/datatype';
import type { ConfigFields } from './config-fields.ts';

/** Triton's DataType, by number. */
const types = [
  ...['TYPE_INVALID', 'TYPE_BOOL', 'TYPE_UINT8', 'TYPE_UINT16', 'TYPE_UINT32', 'TYPE_UINT64', 'TYPE_INT8'],
  ...['TYPE_INT16', 'TYPE_INT32', 'TYPE_INT64', 'TYPE_FP16', 'TYPE_FP32', 'TYPE_FP64', 'TYPE_STRING', 'TYPE_BF16'],
];

/** The field `data_type` of a message; undefined where it says nothing. */
export function readDatatype(of: ConfigFields): Datatype | undefined {
  const type = of.choice('data_type', types)?.replace('TYPE_', '').replace('STRING', 'BYTES');
  return type !== undefined && isDatatype(type) ? type : undefined;
}
