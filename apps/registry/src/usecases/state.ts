import type { AliasMoveState } from '@sluice/domain/alias-move';
import type { ModelSettings } from '@sluice/domain/model';
import type { Release } from '@sluice/domain/release';
import type { ServingConfig } from '@sluice/domain/signature';
import type { AdmissionReport } from '../admission/admission.ts';
import type { HistoryQuery } from './history-page.ts';
import type {
  AliasHistoryEntry,
  AliasMove,
  AliasRecord,
  ApprovalRecord,
  ModelRecord,
  QuarantineRecord,
  RedactableNames,
  Retained,
  StrikeRecord,
  VersionContent,
  VersionRecord,
  VersionView,
} from './records.ts';

/** Reads of the registry's state, all from one snapshot. */
export interface StateReads {
  model(name: string): Promise<ModelRecord | undefined>;
  /** By name, those after `after`. */
  models(after: string, limit: number): Promise<readonly ModelRecord[]>;
  version(model: string, number: number): Promise<VersionRecord | undefined>;
  /** With approvals, aliases and pin; `deleted` shows tombstones too. By number, those after `after`. */
  versionViews(model: string, query: VersionQuery): Promise<readonly VersionView[]>;
  versionByRequest(requestId: string): Promise<{ readonly version: VersionRecord; readonly actor: string } | undefined>;
  alias(model: string, alias: string): Promise<AliasRecord | undefined>;
  aliases(models: readonly string[]): Promise<readonly AliasRecord[]>;
  /** By the revision of their request, newest first; '' is every alias. */
  moves(model: string, alias: string, query: HistoryQuery): Promise<readonly AliasMove[]>;
  move(id: string): Promise<AliasMove | undefined>;
  /** Moves that are under way, of these models or of all. */
  pendingMoves(models?: readonly string[]): Promise<readonly AliasMove[]>;
  /** Newest first; '' is every alias. */
  aliasHistory(model: string, alias: string, query: HistoryQuery): Promise<readonly AliasHistoryEntry[]>;
  /** Whether the alias points to a version or has done so. */
  hadAlias(model: string, alias: string): Promise<boolean>;
  approvals(model: string, version: number): Promise<readonly ApprovalRecord[]>;
  pins(model: string): Promise<readonly number[]>;
  release(model: string): Promise<Release | undefined>;
  /** Whether a release that a person made rules or has ruled. */
  hadOwnRelease(model: string): Promise<boolean>;
  /** Which of the names no ready version has as an input or a feature of one, and up to `limit` that there are. */
  redactable(model: string, names: readonly string[], limit: number): Promise<RedactableNames>;
  retained(model: string): Promise<readonly Retained[]>;
  /** Retained versions of any model whose time is over by the database's clock. */
  retainedOver(): Promise<readonly Retained[]>;
  /** The quarantines of a model's versions in all pools, or of all models. */
  quarantines(model?: string): Promise<readonly QuarantineRecord[]>;
  /** The strikes of a version in a pool that count now, oldest first. */
  strikes(of: {
    readonly pool: string;
    readonly model: string;
    readonly version: number;
  }): Promise<readonly StrikeRecord[]>;
  aliasesAsOf(model: string, time: number): Promise<readonly AliasHistoryEntry[]>;
  /** Versions as they were, by number; those with a number above `after`, at most `limit`. */
  versionViewsAsOf(
    model: string,
    time: number,
    query: { readonly after: number; readonly limit: number },
  ): Promise<readonly VersionView[]>;
  releaseAsOf(model: string, time: number): Promise<Release | undefined>;
  settingsAsOf(model: string, time: number): Promise<ModelSettings | undefined>;
}

export interface VersionQuery {
  readonly after?: number;
  readonly limit?: number;
  readonly deleted?: boolean;
  readonly numbers?: readonly number[];
}

/** One audited change: reads and writes under the audit lock, in one transaction with its entries. */
export interface StateChange extends StateReads {
  /** Leaf index of this change's first entry: the revision of all that it touches. */
  readonly revision: number;
  /** Milliseconds since the epoch; never before that of an earlier change. */
  readonly effectiveAt: number;
  readonly actor: string;

  insertModel(name: string, settings: ModelSettings): Promise<ModelRecord>;
  updateModel(name: string, settings: ModelSettings): Promise<void>;
  /** Takes the model's next number, in state `admitting`. */
  insertVersion(version: NewVersion): Promise<VersionRecord>;
  endAdmission(model: string, number: number, end: AdmissionEnd): Promise<void>;
  /** Raises the version's revision: it was approved, pinned or unpinned. */
  touchVersion(model: string, number: number): Promise<void>;
  /** Leaves a tombstone. */
  deleteVersion(model: string, number: number): Promise<void>;

  /** Makes the alias known without a version, or raises its revision: a move of it was requested or has ended. */
  touchAlias(model: string, alias: string): Promise<void>;
  /** Points the alias to a version, ends the former stretch of its history and begins another. */
  pointAlias(model: string, alias: string, version: number, actor: string): Promise<void>;
  deleteAlias(model: string, alias: string): Promise<void>;
  insertMove(move: AliasMove): Promise<void>;
  endMove(id: string, state: AliasMoveState, reasons: readonly string[]): Promise<void>;

  insertApproval(approval: ApprovalRecord): Promise<void>;
  insertPin(model: string, version: number): Promise<void>;
  deletePin(model: string, version: number): Promise<void>;
  retain(retained: Retained): Promise<void>;
  endRetained(model: string, alias: string, version: number): Promise<void>;
  insertQuarantine(quarantine: Omit<QuarantineRecord, 'since' | 'actor'>): Promise<void>;
  /** Ends a quarantine and forgets the strikes that led to it. */
  endQuarantine(model: string, version: number, pool: string): Promise<void>;
  /** Ends the model's release and begins one that a person made; undefined leaves it to `settle` to find one. */
  replaceRelease(model: string, release: Release | undefined): Promise<void>;
  /**
   * To be called last when something changed that watchers follow: brings the model's release and its placement up to
   * date and wakes all watchers.
   */
  settle(model: string): Promise<void>;
}

export interface NewVersion extends VersionContent {
  readonly model: string;
  readonly serving: ServingConfig;
  /** '' when the caller gave none. */
  readonly requestId: string;
  /** The replica that runs the admission. */
  readonly holder: string;
}

export interface AdmissionEnd {
  readonly passed: boolean;
  readonly rejection: string;
  readonly serving: ServingConfig;
  readonly report: AdmissionReport | undefined;
}

/** One leaf of the audit log that a change leaves. */
export interface Entry {
  /** Such as `alias.move.requested`. */
  readonly action: string;
  /** Such as `model/digits/alias/champion`. */
  readonly object: string;
  /** JSON values only. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** What a change did; without entries it must not have written anything. */
export interface Changed<T> {
  readonly entries: readonly Entry[];
  readonly result: T;
}

/** Who makes a change: a person or program by their own word, or the registry itself. */
export type Actor = string | { readonly name: string; readonly kind: 'system' };
/** The registry's own doings: the controller's, and the ends of admissions. */
export const systemActor: Actor = { name: 'registry', kind: 'system' };

/** The registry's state in Postgres. `unavailable` at once while Postgres is away. */
export interface RegistryState {
  read<T>(fn: (reads: StateReads) => Promise<T>): Promise<T>;
  /** `fn` may run again when the transaction has to be repeated. */
  change<T>(actor: Actor, fn: (change: StateChange) => Promise<Changed<T>>): Promise<T>;
}
