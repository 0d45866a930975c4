import { z } from 'zod';

type Path = readonly PropertyKey[];

/** Takes wrappers off: optional and transformed values. */
function bare(schema: unknown): unknown {
  if (schema instanceof z.ZodOptional) return bare(schema.unwrap());
  if (schema instanceof z.ZodPipe) return bare(schema.in);
  return schema;
}

function step(schema: unknown, key: PropertyKey): unknown {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) return (inner.shape as Record<PropertyKey, unknown>)[key];
  if (inner instanceof z.ZodArray) return inner.element;
  if (inner instanceof z.ZodRecord) return inner.valueType;
  if (inner instanceof z.ZodUnion) {
    return inner.options.map((option) => step(option, key)).find((found) => found !== undefined);
  }
  return undefined;
}

/** Keys that may stand in the map at `path`; none when that is no map with fixed keys. */
export function keysAt(schema: z.ZodType, path: Path): readonly string[] {
  let at: unknown = schema;
  for (const key of path) at = step(at, key);
  return keysOf(at);
}

function keysOf(schema: unknown): readonly string[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodObject) return Object.keys(inner.shape);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap(keysOf);
  return [];
}

/** Every key of a schema as a dotted path; items of lists are written `[]`, keys that are free `*`. */
export function allKeys(schema: z.ZodType, prefix = ''): readonly string[] {
  return walk(schema, prefix);
}

function walk(schema: unknown, prefix: string): string[] {
  const inner = bare(schema);
  if (inner instanceof z.ZodArray) return walk(inner.element, `${prefix}[]`);
  if (inner instanceof z.ZodRecord) return walk(inner.valueType, `${prefix}.*`);
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => walk(option, prefix));
  if (!(inner instanceof z.ZodObject)) return [];
  const shape = inner.shape as Record<string, unknown>;
  return Object.keys(shape).flatMap((key) => {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    return [path, ...walk(shape[key], path)];
  });
}
