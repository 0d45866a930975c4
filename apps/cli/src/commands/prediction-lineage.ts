import type { AuditLink__Output } from '@sluice/contracts/gen/sluice/feedback/v1/AuditLink';
import type { Prediction__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Prediction';
import type { PredictionAttempt__Output } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionAttempt';
import type { GetLineageResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageResponse';
import { SluiceError } from '@sluice/domain/errors';
import { type CliContext, show } from '../context.ts';
import { printable, showTable, showTime } from '../format.ts';
import { lineageTree } from '../lineage-tree.ts';
import { armOf } from './predictions.ts';

/** Versions of one prediction whose lineage is asked for: an answer, what was tried before it, and shadows are a few. */
const mostVersions = 32;

/** A version that took part in a prediction. */
export interface TakenVersion {
  readonly model: string;
  readonly version: string;
  /** As the prediction has it. */
  readonly digest: string;
  /** In the order of the attempts. */
  readonly attempts: readonly PredictionAttempt__Output[];
  /** Why there is no lineage; '' where there is. */
  readonly problem: string;
  readonly up: GetLineageResponse__Output | null;
}

/** Where a prediction came from. */
export interface PredictionLineage {
  readonly predictionId: string;
  readonly versions: readonly TakenVersion[];
  readonly auditLinks: readonly AuditLink__Output[];
  /** There are more attempts or versions than are shown. */
  readonly more: boolean;
}

/**
 * `sluice lineage --prediction ID`: where each version that took part in it came from.
 *
 * @param bounds of the lineage of each version
 */
export async function showPredictionLineage(
  context: CliContext,
  predictionId: string,
  bounds: { readonly depth: number; readonly maxNodes: number },
): Promise<void> {
  const { prediction } = await context.services.predictions.getPrediction(
    { predictionId, withAliases: true },
    { signal: context.signal },
  );
  const { attempts, auditLinks, cut } = prediction!;
  const taken = [...Map.groupBy(attempts, ({ model, version }) => `${model}:${version}`).values()];
  const versions: TakenVersion[] = [];
  for (const group of taken.slice(0, mostVersions)) versions.push(await lineageOf(context, group, bounds));
  const more = cut || taken.length > mostVersions;
  const lineage = { predictionId: prediction!.predictionId, versions, auditLinks, more };
  show(context, toDocument(lineage), () => predictionLineageText(lineage, prediction!));
}

/** What of it the document of `--json` has: of attempts what says how the version took part. */
function toDocument({ versions, ...lineage }: PredictionLineage): unknown {
  return {
    ...lineage,
    versions: versions.map(({ attempts, ...taken }) => ({
      ...taken,
      attempts: attempts.map(({ arm, role, attempt, answered, reason, releaseId, statusName }) => ({
        ...{ arm, role, attempt, answered, reason, releaseId, statusName },
      })),
    })),
  };
}

async function lineageOf(
  context: CliContext,
  attempts: readonly PredictionAttempt__Output[],
  bounds: { readonly depth: number; readonly maxNodes: number },
): Promise<TakenVersion> {
  const { model, version, versionDigest: digest } = attempts[0]!;
  const found = { model, version, digest, attempts };
  try {
    const up = await context.services.lineage.getLineage(
      { version: { model, version }, direction: 'LINEAGE_DIRECTION_UP', ...bounds },
      { signal: context.signal },
    );
    return { ...found, ...checked(up, digest) };
  } catch (error) {
    if (SluiceError.from(error).kind !== 'not-found') throw error;
    return { ...found, up: null, problem: 'the registry does not have it' };
  }
}

/** A registry that was put back from a backup may have given the number to another version. */
function checked(up: GetLineageResponse__Output, digest: string): Pick<TakenVersion, 'up' | 'problem'> {
  const known = up.nodes[0]?.version?.digest ?? '';
  if (digest === '' || known === '' || known === digest) return { up, problem: '' };
  return { up: null, problem: `the registry has another version of this number, with the digest ${known}` };
}

/** For people: the prediction as the root, the versions below it, and what they came from. */
export function predictionLineageText(
  { predictionId, versions, auditLinks, more }: PredictionLineage,
  { attempts }: Pick<Prediction__Output, 'attempts'>,
): string {
  const lines = [`prediction ${predictionId}  ${showTime(attempts[0]?.receivedAt)}`];
  for (const [place, taken] of versions.entries()) {
    const isLast = place === versions.length - 1;
    const [first, ...rest] = branchOf(taken);
    lines.push(`${isLast ? '└─' : '├─'} ${first!}`, ...rest.map((line) => `${isLast ? '   ' : '│  '}${line}`));
  }
  if (more || versions.some(({ up }) => up?.more))
    lines.push(
      '… there is more: --depth and --nodes show more of a version, `sluice prediction show` more of attempts',
    );
  if (auditLinks.length === 0) return lines.join('\n');
  const links = showTable(
    ['audit entry', 'of'],
    auditLinks.map(({ leafIndex, object }) => [leafIndex, object]),
  );
  return `${lines.join('\n')}\n\n${links}`;
}

function branchOf({ model, version, up, problem, attempts }: TakenVersion): readonly string[] {
  const how = printable(`${wordOf(attempts)} `);
  const use = printable(`  [${useOf(attempts)}]`);
  if (!up) return [printable(`${how}${model}:${version}  ${problem}`) + use];
  const [first, ...rest] = lineageTree(up, 'up');
  return [`${how}${first!}${use}`, ...rest];
}

/** How a version took part, by the attempt that matters most. */
function wordOf(attempts: readonly PredictionAttempt__Output[]): string {
  if (attempts.some(({ answered }) => answered)) return 'answered by';
  return attempts.every(({ role }) => role === 'shadow') ? 'shadowed by' : 'tried';
}

/** `primary, release digits@17`; `-, no release` where the request named its version. */
const useOf = (attempts: readonly PredictionAttempt__Output[]): string =>
  attempts.map((each) => `${armOf(each)}, ${each.releaseId ? `release ${each.releaseId}` : 'no release'}`).join('; ');
