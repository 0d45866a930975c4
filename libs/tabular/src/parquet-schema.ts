import type { SchemaElement, SchemaTree } from 'hyparquet';
import type { Column, ScalarType } from './schema.ts';

/** A column of a Parquet file: what it is as one of ours, or why it is none. */
export type ParquetColumn = Column | { readonly name: string; readonly unsupported: string };

/** What a top-level field of a Parquet schema is. */
export function columnOf(field: SchemaTree): ParquetColumn {
  const { name } = field.element;
  let at = field;
  let depth = 0;
  for (let inner = listItem(at); inner; inner = listItem(at)) {
    at = inner;
    depth += 1;
  }
  if (at.children.length > 0) return { name, unsupported: at.element.converted_type === 'MAP' ? 'a map' : 'a struct' };
  const type = scalarOf(at.element);
  return type === undefined ? { name, unsupported: kindOf(at.element) } : { name, type, depth };
}

/** The item of a list, as the three ways to write one have it; undefined for what is no list. */
function listItem(field: SchemaTree): SchemaTree | undefined {
  const { converted_type: converted, logical_type: logical } = field.element;
  if (converted !== 'LIST' && logical?.type !== 'LIST') return undefined;
  const [repeated, ...others] = field.children;
  if (!repeated || others.length > 0 || repeated.element.repetition_type !== 'REPEATED') return undefined;
  if (repeated.children.length === 0) return repeated;
  return repeated.children.length === 1 ? repeated.children[0] : undefined;
}

const kindOf = ({ type, converted_type, logical_type }: SchemaElement): string =>
  logical_type?.type ?? converted_type ?? type ?? 'of no known type';

function scalarOf(element: SchemaElement): ScalarType | undefined {
  const { type, converted_type: converted, logical_type: logical, repetition_type: repetition } = element;
  // A repeated field without a list around it: what hyparquet makes of it depends on where it stands.
  if (repetition === 'REPEATED' && converted === undefined && logical === undefined && type === undefined)
    return undefined;
  if (converted === 'DECIMAL' || logical?.type === 'DECIMAL') return 'double';
  if (
    converted === 'DATE' ||
    converted?.startsWith('TIMESTAMP') ||
    logical?.type === 'DATE' ||
    logical?.type === 'TIMESTAMP'
  )
    return 'timestamp';
  switch (type) {
    case 'BOOLEAN':
      return 'bool';
    case 'INT32':
    case 'INT64':
      return 'int64';
    case 'INT96':
      return 'timestamp';
    case 'FLOAT':
      return 'float';
    case 'DOUBLE':
      return 'double';
    case 'BYTE_ARRAY':
      return isText(element) ? 'string' : undefined;
    case 'FIXED_LEN_BYTE_ARRAY':
      if (logical?.type === 'FLOAT16') return 'float';
      return logical?.type === 'UUID' ? 'string' : undefined;
    case undefined:
      return undefined;
  }
}

/** Text, and bytes that say nothing of themselves, as older writers left text; those must then be UTF-8. */
const isText = ({ converted_type: converted, logical_type: logical }: SchemaElement): boolean =>
  converted === undefined
    ? logical === undefined || logical.type === 'STRING' || logical.type === 'ENUM'
    : converted === 'UTF8' || converted === 'ENUM';

/** The schema of a file that has these columns: every column and every item of a list may be null. */
export function schemaOf(columns: readonly Column[]): SchemaElement[] {
  return [
    { name: 'schema', num_children: columns.length },
    ...columns.flatMap((column) => fieldOf(column.name, column, column.depth)),
  ];
}

function fieldOf(name: string, column: Column, depth: number): SchemaElement[] {
  if (depth === 0) return [{ name, repetition_type: 'OPTIONAL', ...elementOf(column.type) }];
  return [
    { name, repetition_type: 'OPTIONAL', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    ...fieldOf('element', column, depth - 1),
  ];
}

function elementOf(type: ScalarType): Partial<SchemaElement> {
  switch (type) {
    case 'string':
      return { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } };
    case 'double':
      return { type: 'DOUBLE' };
    case 'float':
      return { type: 'FLOAT' };
    case 'int64':
      return { type: 'INT64' };
    case 'bool':
      return { type: 'BOOLEAN' };
    case 'timestamp':
      return {
        type: 'INT64',
        converted_type: 'TIMESTAMP_MILLIS',
        logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MILLIS' },
      };
  }
}
