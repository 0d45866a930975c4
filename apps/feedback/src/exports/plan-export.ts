import { failedPrecondition, unavailable } from '@sluice/domain/errors';
import { isVisibleName } from '@sluice/domain/model';
import { clip } from '@sluice/domain/names';
import type { Column } from '@sluice/tabular/schema';
import type { PayloadAudit } from '../audit/payload-audit.ts';
import { narrowed } from '../predictions/narrowed.ts';
import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { LabelPolicy, RegistryVersion } from '../versions/registry-version.ts';
import { mostVersions, writeHorizon } from './check-export.ts';
import type { ExportRequest } from './check-export.ts';
import type { VersionLayout } from './columns.ts';
import { payloadColumns, recordColumns } from './columns.ts';
import type { ExportPlace, ExportQuery, ExportReader, VersionCount } from './export.ts';

export interface PlanPorts {
  readonly reader: Pick<ExportReader, 'count'>;
  readonly facts: Pick<RegistryFacts, 'version' | 'model'>;
  readonly audit: PayloadAudit;
}

/** What is known of a file before its first byte. */
export interface ExportPlan {
  readonly query: ExportQuery;
  readonly policy: LabelPolicy;
  readonly columns: readonly Column[];
  /** By `layoutKey`; none for a version that the registry does not have, and where payloads are left out. */
  readonly layouts: ReadonlyMap<string, VersionLayout>;
  readonly rowsExpected: number;
}

export const layoutKey = ({ version, versionDigest }: Pick<VersionCount, 'version' | 'versionDigest'>): string =>
  `${version} ${versionDigest}`;

const mostRows = 100_000_000;
export const tooSlow = 'ask again when the database has less to do, or for less time at once';

/**
 * Counts what fits, at the horizon of the query, and lays out the columns. With payloads the access is in the audit log when this
 * resolves, with the number of payloads that were counted.
 *
 * @throws SluiceError failed-precondition for versions whose columns do not go together, or too many rows; unavailable while the registry
 *   cannot be asked
 */
export async function planExport(
  ports: PlanPorts,
  request: ExportRequest,
  query: ExportQuery,
  signal: AbortSignal,
): Promise<ExportPlan> {
  const policy = request.labelPolicy ?? (await policyOf(ports.facts, query.model));
  const versions = await countAll(ports.reader, query, signal);
  const rowsExpected = versions.reduce((sum, { rows }) => sum + rows, 0);
  if (rowsExpected > mostRows)
    throw failedPrecondition(
      `${rowsExpected} rows fit, and a file has at most ${mostRows}: narrow \`from\` and \`to\``,
    );
  if (!request.withPayload) return { query, policy, columns: recordColumns, layouts: new Map(), rowsExpected };
  const laid = await layOut(ports.facts, query.model, versions);
  if (request.dataSet !== '') checkNames(laid.columns);
  await ports.audit.record({
    ...{ actor: request.actor, action: 'ReadPayloads', object: `model/${query.model}` },
    details: {
      ...{ call: 'Export', count: versions.reduce((sum, { payloads }) => sum + payloads, 0), rows: rowsExpected },
      filter: filterDetails(query),
      ...{ format: request.format, data_set: request.dataSet, horizon: writeHorizon(query.horizon) },
    },
  });
  return { query, policy, rowsExpected, ...laid };
}

/** What a data set would refuse at the end. */
function checkNames(columns: readonly Column[]): void {
  const wrong = columns.find(({ name }) => !isVisibleName(name, 256));
  if (wrong)
    throw failedPrecondition(
      `data_set: the column "${clip(wrong.name)}" has a name of other than 1 to 256 visible characters, which no data set takes`,
    );
}

/** A filter as the audit log and manifests have it. */
export const filterDetails = ({ model, versions, arm, role, range, status, label }: ExportQuery) => ({
  ...{ model, versions, arm: arm ?? null, role: role ?? null, status, label },
  from: new Date(range.fromMs).toISOString(),
  to: new Date(range.toMs).toISOString(),
});

async function policyOf(facts: PlanPorts['facts'], model: string): Promise<LabelPolicy> {
  const answer = await facts.model(model);
  if (answer.state === 'known') return answer.value.labels;
  if (answer.state === 'unknown') return { resolution: 'latest', trustedSources: [] };
  throw unavailable('the registry cannot be asked which label of a row counts: give a label policy, or ask again');
}

/** All versions that fit, by number. */
async function countAll(
  reader: Pick<ExportReader, 'count'>,
  query: ExportQuery,
  signal: AbortSignal,
): Promise<readonly VersionCount[]> {
  const sums = new Map<string, VersionCount>();
  let after: ExportPlace | undefined;
  do {
    signal.throwIfAborted();
    const { versions, next } = await narrowed(reader.count(query, after), 'a part of this export', tooSlow);
    for (const each of versions) {
      const { rows = 0, payloads = 0 } = sums.get(layoutKey(each)) ?? {};
      sums.set(layoutKey(each), { ...each, rows: rows + each.rows, payloads: payloads + each.payloads });
    }
    if (sums.size > mostVersions)
      throw failedPrecondition(`more than ${mostVersions} versions fit: name some in \`versions\``);
    after = next;
  } while (after);
  return [...sums.values()].toSorted(
    (left, right) => left.version - right.version || (left.versionDigest < right.versionDigest ? -1 : 1),
  );
}

async function layOut(
  facts: PlanPorts['facts'],
  model: string,
  versions: readonly VersionCount[],
): Promise<Pick<ExportPlan, 'columns' | 'layouts'>> {
  const known: { readonly key: string; readonly value: RegistryVersion }[] = [];
  for (const each of versions) {
    const answer = await facts.version({ model, ...each });
    if (answer.state === 'away')
      throw unavailable(
        `the registry cannot be asked what ${model} version ${each.version} takes and gives: ask again, or export without payloads`,
      );
    if (answer.state === 'known') known.push({ key: layoutKey(each), value: answer.value });
  }
  const { columns, layouts } = payloadColumns(known.map(({ value }) => value));
  return { columns, layouts: new Map(known.map(({ key }, index) => [key, layouts[index]!])) };
}
