import { clip } from '@sluice/domain/names';
import type { Signature, TensorSpec } from '@sluice/domain/signature';
import { elementProblem, type FlatLiteral, flatten } from './literal.ts';
import type { GoldenCase, TensorLiteral } from './manifest.ts';
import { type ManifestProblems, suggestion } from './problems.ts';

/** Holds golden cases to the graph's signature: every input, known outputs, shapes, datatypes, and one number of rows. */
export function checkGolden(cases: readonly GoldenCase[], signature: Signature, problems: ManifestProblems): void {
  const seen = new Set<string>();
  for (const [index, one] of cases.entries()) {
    const path = ['golden', index];
    if (seen.has(one.name)) problems.add([...path, 'name'], `the case "${clip(one.name)}" is given twice`);
    seen.add(one.name);
    const rows = new Map<string, number>();
    for (const [kind, values, specs] of [
      ['inputs', one.inputs, signature.inputs],
      ['outputs', one.outputs, signature.outputs],
    ] as const) {
      for (const [name, literal] of Object.entries(values)) {
        const spec = specs.find((candidate) => candidate.name === name);
        if (!spec) {
          problems.addKey([...path, kind], name, () => unknownTensor(kind, name, specs));
          continue;
        }
        const flat = checkLiteral(literal, spec, [...path, kind, name], problems);
        if (signature.batched && flat) rows.set(`${kind}.${name}`, flat.shape[0]!);
      }
    }
    for (const spec of signature.inputs) {
      if (!(spec.name in one.inputs)) problems.add([...path, 'inputs'], `the input "${clip(spec.name)}" is missing`);
    }
    if (Object.keys(one.outputs).length === 0) problems.add([...path, 'outputs'], 'expected at least one output');
    if (new Set(rows.values()).size > 1) {
      const counts = [...rows].map(([name, count]) => `${name} ${count}`).join(', ');
      problems.add(path, `expected the same number of rows everywhere, got ${counts}`);
    }
  }
}

/** For a tensor that the graph does not have: what it has, and what was probably meant. */
export function unknownTensor(kind: 'inputs' | 'outputs', name: string, specs: readonly TensorSpec[]): string {
  const names = specs.map((spec) => spec.name);
  const near = suggestion(name, names);
  return near
    ? `the graph has no such ${kind.slice(0, -1)}; did you mean "${near}"?`
    : `the graph has no such ${kind.slice(0, -1)}; it has ${namesShown(names) || 'none'}`;
}

/** The first twenty names. */
function namesShown(names: readonly string[]): string {
  const shown = names.slice(0, 20).map((one) => `"${clip(one)}"`);
  if (names.length > shown.length) shown.push(`and ${names.length - shown.length} more`);
  return shown.join(', ');
}

/** Checks one value; gives its shape and elements when it is fine. */
export function checkLiteral(
  literal: TensorLiteral,
  spec: TensorSpec,
  path: readonly PropertyKey[],
  problems: ManifestProblems,
): FlatLiteral | undefined {
  const flat = flatten(literal);
  if (typeof flat === 'string') {
    problems.add(path, flat);
    return undefined;
  }
  const fits =
    flat.shape.length === spec.shape.length &&
    flat.shape.every((size, index) => spec.shape[index] === -1 || spec.shape[index] === size);
  if (!fits) {
    problems.add(path, `expected the shape ${showShape(spec)}, got [${flat.shape.join(', ')}]`);
    return undefined;
  }
  for (const value of flat.values) {
    const wanted = elementProblem(spec.datatype, value);
    if (wanted) {
      problems.add(path, `expected ${wanted} for ${spec.datatype}, got ${clip(JSON.stringify(value), 40)}`);
      return undefined;
    }
  }
  return flat;
}

/** `[batch, 64]`: names of dynamic dimensions, or -1. */
export function showShape(spec: TensorSpec): string {
  return `[${spec.shape.map((size, index) => (size === -1 ? clip(spec.dimNames[index] || '-1') : size)).join(', ')}]`;
}
