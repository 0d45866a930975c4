import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { StoredAttempt } from './prediction.ts';

/** An entry of the audit log by which an attempt came to be made as it was. */
export interface AuditLink {
  readonly kind: 'version' | 'release' | 'alias';
  /** Such as `model/digits/version/3`. */
  readonly object: string;
  readonly leafIndex: number;
}

/** Where an alias pointed at some time. */
export interface AliasThen {
  readonly alias: string;
  readonly version: number;
  readonly revision: number;
}

/** The registry's history. */
export interface AliasHistory {
  /** The aliases of a model as they were at a time; undefined when it cannot be asked. */
  aliasesAt(model: string, ms: number): Promise<readonly AliasThen[] | undefined>;
}

/** The release, whose id says which change made it, and the last change of each version that the registry has. */
export async function recordLinks(
  facts: Pick<RegistryFacts, 'version'>,
  attempts: readonly StoredAttempt[],
): Promise<AuditLink[]> {
  const links = new Map<string, AuditLink>();
  const add = (link: AuditLink): unknown => links.set(`${link.object} ${link.leafIndex}`, link);
  for (const attempt of attempts) {
    const { model, version, releaseId } = attempt;
    const revision = releaseRevision(model, releaseId);
    if (revision !== undefined) add({ kind: 'release', object: `model/${model}/release`, leafIndex: revision });
    const answer = await facts.version(attempt);
    if (answer.state === 'known')
      add({ kind: 'version', object: `model/${model}/version/${version}`, leafIndex: answer.value.revision });
  }
  return [...links.values()];
}

/** The aliases that pointed to a version of these when it was asked. */
export async function aliasLinks(registry: AliasHistory, attempts: readonly StoredAttempt[]): Promise<AuditLink[]> {
  const [first] = attempts;
  const aliases = first && (await registry.aliasesAt(first.model, first.receivedMs));
  const versions = new Set(attempts.map(({ version }) => version));
  return (aliases ?? [])
    .filter(({ version }) => versions.has(version))
    .map(({ alias, revision }) => ({
      ...{ kind: 'alias', object: `model/${first!.model}/alias/${alias}`, leafIndex: revision },
    }));
}

/** Leaf index of the change that made a release: its id is the model and that. Undefined for an id of another kind. */
export function releaseRevision(model: string, releaseId: string): number | undefined {
  if (!releaseId.startsWith(`${model}@`)) return undefined;
  const text = releaseId.slice(model.length + 1);
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}
