/**
 * Partitions of evidence that a plan reads, by retention class.
 *
 * @param plan what EXPLAIN (FORMAT JSON) gives
 */
export function daysTouched(plan: unknown): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const relation of relationsIn(plan)) {
    const name = /^evidence_(short|standard|long)/.exec(relation)?.[1];
    if (name !== undefined && !found[name]?.includes(relation)) (found[name] ??= []).push(relation);
  }
  return found;
}

/** Names of all tables that the nodes of a plan read, however deep they lie. */
function relationsIn(node: unknown): string[] {
  if (Array.isArray(node)) return node.flatMap(relationsIn);
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === 'Relation Name' && typeof value === 'string' ? [value] : relationsIn(value),
  );
}
