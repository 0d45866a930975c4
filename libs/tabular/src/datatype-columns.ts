import type { Datatype } from '@sluice/domain/datatype';
import type { ScalarType } from './schema.ts';

/** The type of a column with elements of a tensor. No value is changed by it but those of UINT64 over 2^53, which int64 has not all. */
export function scalarOfDatatype(datatype: Datatype): ScalarType {
  switch (datatype) {
    case 'BOOL':
      return 'bool';
    case 'BYTES':
      return 'string';
    case 'FP16':
    case 'BF16':
    case 'FP32':
      return 'float';
    case 'FP64':
    // Beyond what int64 has.
    case 'UINT64':
      return 'double';
    case 'INT8':
    case 'INT16':
    case 'INT32':
    case 'INT64':
    case 'UINT8':
    case 'UINT16':
    case 'UINT32':
      return 'int64';
  }
}
