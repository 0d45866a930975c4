import { describeSchema } from '@sluice/tabular/schema';
import type { Written } from '@sluice/tabular/writer';
import type { ExportRequest } from './check-export.ts';
import { writeHorizon } from './check-export.ts';
import type { ExportedRecord } from './export.ts';
import type { CellState } from './payload-cells.ts';
import type { ExportPlan } from './plan-export.ts';
import { filterDetails, layoutKey } from './plan-export.ts';

/** Hashes that a manifest has; all are in the table that orders to erase look into. */
export const mostHashes = 1_000;

/** Counts rows while a file is made. */
export class RowCounts {
  rows = 0;
  labelled = 0;
  readonly #inputs = noStates();
  readonly #outputs = noStates();
  readonly #versions = new Map<string, { version: number; digest: string; rows: number }>();

  add(record: ExportedRecord, isLabelled: boolean, input: CellState | undefined, output: CellState | undefined): void {
    this.rows += 1;
    if (isLabelled) this.labelled += 1;
    if (input) this.#inputs[input] += 1;
    if (output) this.#outputs[output] += 1;
    const { version, versionDigest: digest } = record;
    const key = layoutKey(record);
    const known = this.#versions.get(key) ?? { version, digest, rows: 0 };
    known.rows += 1;
    this.#versions.set(key, known);
  }

  /** @param withPayload whether states of payloads were looked at */
  counts(withPayload: boolean): object {
    const payloads = { inputs: states(this.#inputs), outputs: states(this.#outputs) };
    return { rows: this.rows, labelled: this.labelled, ...(withPayload && payloads) };
  }

  /** @param known those that the registry has; undefined where nobody asked it */
  versions(known: ReadonlySet<string> | undefined): readonly object[] {
    return [...this.#versions]
      .map(([key, each]) => ({ ...each, ...(known && { in_registry: known.has(key) }) }))
      .toSorted((left, right) => left.version - right.version || (left.digest < right.digest ? -1 : 1));
  }
}

const noStates = (): Record<CellState, number> => ({
  ...{ captured: 0, 'not-captured': 0, erased: 0, 'not-decodable': 0, none: 0 },
});

const states = (of: Record<CellState, number>): object => ({
  ...{ captured: of.captured, not_captured: of['not-captured'], erased: of.erased },
  ...{ not_decodable: of['not-decodable'], none: of.none },
});

export interface ManifestFacts {
  readonly request: ExportRequest;
  readonly plan: ExportPlan;
  readonly counts: RowCounts;
  readonly written: Written;
  readonly digest: string;
  readonly subjects: { readonly count: number; readonly first: readonly string[] };
}

/** What a file is, as JSON: the same for the same file, so that registering it twice is one version. */
export function writeManifest({ request, plan, counts, written, digest, subjects }: ManifestFacts): string {
  const { policy, query, columns, layouts } = plan;
  const { withPayload, format } = request;
  return JSON.stringify({
    ...{ made_by: 'sluice export', manifest_version: 1 },
    query: {
      ...{ ...filterDetails(query), with_payload: withPayload },
      label_policy: { resolution: policy.resolution, trusted_sources: policy.trustedSources },
    },
    horizon: writeHorizon(query.horizon),
    file: { format, bytes: written.bytes, sha256: digest },
    counts: counts.counts(withPayload),
    versions: counts.versions(withPayload ? new Set(layouts.keys()) : undefined),
    subjects: { count: subjects.count, hashes: subjects.first },
    columns: describeSchema(columns),
  });
}
