import type { DataSetFacts, DataSetRef, VersionRef } from '@sluice/domain/data-set';
import type { RunEnd, RunState } from '@sluice/domain/run';

// Where things came from: data sets, runs of pipelines, and how they hang together with versions and releases. Times are
// milliseconds since the epoch, revisions are leaf indexes.

export interface DataSetRecord {
  readonly name: string;
  /** Versions ever made; the number of the newest. */
  readonly versionCount: number;
  readonly createdAt: number;
  readonly createdBy: string;
}

/** All that is said of a data set version; it never changes. */
export interface DataSetContent extends DataSetFacts {
  readonly parents: readonly DataSetRef[];
  /** Canonical JSON; '' for none. */
  readonly manifestJson: string;
  /** '' when no run made it. */
  readonly run: string;
}

export interface DataSetVersionRecord extends DataSetContent {
  readonly dataSet: string;
  readonly number: number;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revision: number;
}

export interface NewDataSetVersion extends DataSetContent {
  readonly dataSet: string;
  /** SHA-256 of all that it says: equal for equal content. */
  readonly contentSha256: string;
  /** '' for none. */
  readonly requestId: string;
}

/** Which attempt of which pipeline: there is one run of each. */
export interface RunKey {
  readonly pipeline: string;
  readonly scheduledAt: number;
  readonly attempt: number;
}

export interface RunRecord extends RunKey {
  /** Pipeline and revision of its start: `train-digits@412`. */
  readonly id: string;
  readonly state: RunState;
  readonly error: string;
  readonly startedAt: number;
  readonly startedBy: string;
  readonly endedAt: number | undefined;
  readonly endedBy: string;
  readonly inputs: readonly DataSetRef[];
  readonly outputs: readonly DataSetRef[];
  readonly versions: readonly VersionRef[];
  /** Of its start: what it reads is older, what it makes is younger. */
  readonly startRevision: number;
  readonly revision: number;
}

/** Something that was made, by the revision of its making. `run` is '' when no run made it. */
export interface MadeThing {
  readonly revision: number;
  readonly run: string;
}

export interface RunQuery {
  /** '' for all. */
  readonly pipeline: string;
  readonly state: RunState | undefined;
  /** Those whose start has a revision below this, newest first. */
  readonly before: number;
  readonly limit: number;
}

export type LineageDirection = 'up' | 'down';

/** Something in a graph of lineage. */
export type LineageKey =
  | ({ readonly kind: 'version' } & VersionRef)
  | ({ readonly kind: 'data-set' } & DataSetRef)
  | { readonly kind: 'run'; readonly id: string }
  | { readonly kind: 'release'; readonly id: string };

export type LineageRelation = 'made-by' | 'trained-on' | 'derived-from' | 'read' | 'served';

export interface LineageStep {
  readonly child: LineageKey;
  readonly parent: LineageKey;
  readonly relation: LineageRelation;
}

/** What people see of a thing in a graph of lineage, by the columns of its kind. */
export type LineageThing =
  | {
      readonly kind: 'version';
      readonly model: string;
      readonly version: number;
      readonly digest: string;
      readonly state: 'admitting' | 'ready' | 'rejected' | 'deleted';
      readonly createdAt: number;
    }
  | {
      readonly kind: 'data-set';
      readonly dataSet: string;
      readonly version: number;
      readonly digest: string;
      readonly location: string;
      readonly createdAt: number;
    }
  | ({ readonly kind: 'run'; readonly id: string; readonly state: RunState } & RunKey)
  | {
      readonly kind: 'release';
      readonly id: string;
      readonly model: string;
      readonly mode: 'fixed' | 'ab' | 'canary' | 'shadow' | 'bandit';
      readonly implicit: boolean;
      readonly from: number;
      readonly to: number | undefined;
    };

export interface ProvenanceReads {
  dataSet(name: string): Promise<DataSetRecord | undefined>;
  /** By name, those after `after`. */
  dataSets(after: string, limit: number): Promise<readonly DataSetRecord[]>;
  dataSetVersion(ref: DataSetRef): Promise<DataSetVersionRecord | undefined>;
  /** By number, those after `after`, without their manifests. */
  dataSetVersions(
    name: string,
    query: { readonly after: number; readonly limit: number },
  ): Promise<readonly DataSetVersionRecord[]>;
  /** The number of the version with this content. */
  dataSetVersionLike(name: string, contentSha256: string): Promise<number | undefined>;
  dataSetVersionByRequest(
    requestId: string,
  ): Promise<(DataSetRef & { readonly contentSha256: string; readonly actor: string }) | undefined>;
  /** What is known of the making of these, in their order; undefined for one that there is not. */
  madeDataSets(refs: readonly DataSetRef[]): Promise<readonly (MadeThing | undefined)[]>;
  madeVersions(refs: readonly VersionRef[]): Promise<readonly (MadeThing | undefined)[]>;
  run(id: string): Promise<RunRecord | undefined>;
  runByKey(key: RunKey): Promise<RunRecord | undefined>;
  runByRequest(requestId: string): Promise<RunRecord | undefined>;
  runs(query: RunQuery): Promise<readonly RunRecord[]>;
  /** The steps from these one further up or down, at most `limit` of each relation. */
  steps(from: readonly LineageKey[], direction: LineageDirection, limit: number): Promise<readonly LineageStep[]>;
  /** What is to be seen of these; those that there are not are missing. */
  things(keys: readonly LineageKey[]): Promise<readonly LineageThing[]>;
}

export interface ProvenanceChanges extends ProvenanceReads {
  /** Takes the data set's next number, and makes the data set with its first. */
  insertDataSetVersion(version: NewDataSetVersion): Promise<DataSetVersionRecord>;
  /** Its start's revision is that of the change. */
  insertRun(key: RunKey, inputs: readonly DataSetRef[], requestId: string): Promise<RunRecord>;
  endRun(id: string, state: RunEnd, error: string): Promise<void>;
  addInputs(run: string, inputs: readonly DataSetRef[]): Promise<void>;
  addOutputs(run: string, outputs: readonly DataSetRef[]): Promise<void>;
  addVersions(run: string, versions: readonly VersionRef[]): Promise<void>;
}
