import type { Parameters, ParameterValue } from '@sluice/inference/parameters';

/** A request parameter; whole numbers travel as int64, others as double. */
export type Parameter = string | number | bigint | boolean;

export function toParameters(parameters: Readonly<Record<string, Parameter>>): Parameters {
  return new Map(Object.entries(parameters).map(([key, value]) => [key, toValue(value)]));
}

function toValue(value: Parameter): ParameterValue {
  switch (typeof value) {
    case 'string':
      return { kind: 'string', value };
    case 'boolean':
      return { kind: 'bool', value };
    case 'bigint':
      return { kind: 'int64', value };
    case 'number':
      return Number.isInteger(value) ? { kind: 'int64', value: BigInt(value) } : { kind: 'double', value };
  }
}

/** The values of an answer's parameters, without their types. */
export function fromParameters(parameters: Parameters): Record<string, Parameter> {
  const values: Record<string, Parameter> = {};
  for (const [key, value] of parameters) if (value.kind !== 'none') values[key] = value.value;
  return values;
}
