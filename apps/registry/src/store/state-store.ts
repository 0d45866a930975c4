import type { Transactions } from '@sluice/persistence/transaction';
import type { AliasMoveState } from '@sluice/domain/alias-move';
import type { ModelSettings } from '@sluice/domain/model';
import type { Release } from '@sluice/domain/release';
import type { HistoryQuery } from '../usecases/history-page.ts';
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
  VersionRecord,
  VersionView,
} from '../usecases/records.ts';
import type {
  Actor,
  AdmissionEnd,
  Changed,
  NewVersion,
  RegistryState,
  StateChange,
  StateReads,
  VersionQuery,
} from '../usecases/state.ts';
import * as aliases from './alias-store.ts';
import type { AuditedChanges } from './audited-change.ts';
import * as holds from './hold-store.ts';
import * as models from './model-store.ts';
import * as quarantines from './quarantine-store.ts';
import type { VersionInPool } from './quarantine-store.ts';
import * as releases from './release-store.ts';
import { settleModel } from './settle.ts';
import type { Sql } from './sql.ts';
import { fromMs } from './sql.ts';
import { Turns } from './turns.ts';
import type { Stamp } from './version-store.ts';
import * as versions from './version-store.ts';

/** Changes of this replica that use the database at once: one under the audit lock, one ready to follow. */
const changesAtOnce = 2;
const mostWaiting = 1_000;

/** A change that was committed, as the log shows it. */
export interface ChangeNote {
  readonly action: string;
  readonly object: string;
  readonly actor: string;
  readonly revision: number;
}

/** The registry's state in Postgres: reads on one snapshot, changes only as audited transactions. */
export class StateStore implements RegistryState {
  readonly #transactions: Transactions;
  readonly #audited: AuditedChanges;
  readonly #available: () => void;
  readonly #onChanged: (change: ChangeNote) => void;
  readonly #turns = new Turns(changesAtOnce, mostWaiting);

  /**
   * @param available throws `unavailable` at once while Postgres is known to be away
   * @param onChanged told of every entry of a change that was committed
   */
  constructor(
    transactions: Transactions,
    audited: AuditedChanges,
    available: () => void,
    onChanged: (change: ChangeNote) => void,
  ) {
    this.#transactions = transactions;
    this.#audited = audited;
    this.#available = available;
    this.#onChanged = onChanged;
  }

  /** Changes that wait for their turn. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  async read<T>(fn: (reads: StateReads) => Promise<T>): Promise<T> {
    this.#available();
    return this.#transactions.readOnly((tx) => fn(new Reads(tx)));
  }

  async change<T>(actor: Actor, fn: (change: StateChange) => Promise<Changed<T>>): Promise<T> {
    this.#available();
    const name = typeof actor === 'string' ? actor : actor.name;
    const { revision, entries, result } = await this.#turns.run(() => {
      // Postgres may have gone while this one waited.
      this.#available();
      return this.#audited.change(actor, async (tx) => {
        const changed = await fn(new Change(tx, tx.revision, tx.effectiveAt, name));
        return { entries: changed.entries, result: { ...changed, revision: tx.revision } };
      });
    });
    for (const { action, object } of entries) this.#onChanged({ action, object, actor: name, revision });
    return result;
  }
}

class Reads implements StateReads {
  protected readonly sql: Sql;

  constructor(sql: Sql) {
    this.sql = sql;
  }

  model(name: string): Promise<ModelRecord | undefined> {
    return models.selectModel(this.sql, name);
  }
  models(after: string, limit: number): Promise<readonly ModelRecord[]> {
    return models.selectModels(this.sql, after, limit);
  }
  version(model: string, number: number): Promise<VersionRecord | undefined> {
    return versions.selectVersion(this.sql, model, number);
  }
  versionViews(model: string, query: VersionQuery): Promise<readonly VersionView[]> {
    return versions.selectVersionViews(this.sql, model, query);
  }
  versionByRequest(requestId: string): Promise<{ version: VersionRecord; actor: string } | undefined> {
    return versions.selectVersionByRequest(this.sql, requestId);
  }
  async alias(model: string, alias: string): Promise<AliasRecord | undefined> {
    return (await aliases.selectAliases(this.sql, [model], alias))[0];
  }
  aliases(names: readonly string[]): Promise<readonly AliasRecord[]> {
    return aliases.selectAliases(this.sql, names);
  }
  moves(model: string, alias: string, query: HistoryQuery): Promise<readonly AliasMove[]> {
    return aliases.selectMoves(this.sql, model, alias, query);
  }
  move(id: string): Promise<AliasMove | undefined> {
    return aliases.selectMove(this.sql, id);
  }
  pendingMoves(names?: readonly string[]): Promise<readonly AliasMove[]> {
    return aliases.selectPendingMoves(this.sql, names);
  }
  aliasHistory(model: string, alias: string, query: HistoryQuery): Promise<readonly AliasHistoryEntry[]> {
    return aliases.selectHistory(this.sql, model, alias, query);
  }
  hadAlias(model: string, alias: string): Promise<boolean> {
    return aliases.hasHistory(this.sql, model, alias);
  }
  approvals(model: string, version: number): Promise<readonly ApprovalRecord[]> {
    return holds.selectApprovals(this.sql, model, version);
  }
  pins(model: string): Promise<readonly number[]> {
    return holds.selectPins(this.sql, model);
  }
  release(model: string): Promise<Release | undefined> {
    return releases.selectRelease(this.sql, model);
  }
  hadOwnRelease(model: string): Promise<boolean> {
    return releases.hasHadOwnRelease(this.sql, model);
  }
  redactable(model: string, names: readonly string[], limit: number): Promise<RedactableNames> {
    return releases.selectRedactable(this.sql, model, names, limit);
  }
  retained(model: string): Promise<readonly Retained[]> {
    return holds.selectRetained(this.sql, model);
  }
  retainedOver(): Promise<readonly Retained[]> {
    return holds.selectRetainedOver(this.sql);
  }
  quarantines(model?: string): Promise<readonly QuarantineRecord[]> {
    return quarantines.selectQuarantines(this.sql, model === undefined ? {} : { models: [model] });
  }
  strikes(of: VersionInPool): Promise<readonly StrikeRecord[]> {
    return quarantines.selectStrikes(this.sql, of);
  }
  aliasesAsOf(model: string, time: number): Promise<readonly AliasHistoryEntry[]> {
    return aliases.selectAliasesAsOf(this.sql, model, time);
  }
  versionViewsAsOf(
    model: string,
    time: number,
    query: { readonly after: number; readonly limit: number },
  ): Promise<readonly VersionView[]> {
    return versions.selectVersionsAsOf(this.sql, model, time, query);
  }
  releaseAsOf(model: string, time: number): Promise<Release | undefined> {
    return releases.selectRelease(this.sql, model, time);
  }
  settingsAsOf(model: string, time: number): Promise<ModelSettings | undefined> {
    return models.selectSettingsAsOf(this.sql, model, time);
  }
}

class Change extends Reads implements StateChange {
  readonly revision: number;
  readonly effectiveAt: number;
  readonly actor: string;
  readonly #stamp: Stamp;

  constructor(sql: Sql, revision: number, effectiveAt: number, actor: string) {
    super(sql);
    this.revision = revision;
    this.effectiveAt = effectiveAt;
    this.actor = actor;
    this.#stamp = { at: fromMs(effectiveAt), actor, revision };
  }

  async insertModel(name: string, settings: ModelSettings): Promise<ModelRecord> {
    const { effectiveAt, actor, revision } = this;
    await models.insertModel(this.sql, { name, settings, at: fromMs(effectiveAt), actor, revision });
    return { name, settings, revision, createdAt: effectiveAt, createdBy: actor, versionCount: 0 };
  }
  updateModel(name: string, settings: ModelSettings): Promise<void> {
    return models.updateSettings(this.sql, name, settings, this.#stamp);
  }
  async insertVersion(version: NewVersion): Promise<VersionRecord> {
    const number = await models.takeVersionNumber(this.sql, version.model);
    await versions.insertVersion(this.sql, version, number, this.#stamp);
    const { model, digest, files, graphPath, signature, serving, manifestJson } = version;
    return {
      ...{ model, number, digest, files, graphPath, signature, serving, manifestJson },
      state: 'admitting',
      admission: undefined,
      createdAt: this.effectiveAt,
      createdBy: this.actor,
      revision: this.revision,
      rejection: '',
    };
  }
  endAdmission(model: string, number: number, end: AdmissionEnd): Promise<void> {
    return versions.endAdmission(this.sql, model, number, end, this.#stamp);
  }
  touchVersion(model: string, number: number): Promise<void> {
    return versions.touchVersion(this.sql, model, number, this.#stamp);
  }
  deleteVersion(model: string, number: number): Promise<void> {
    return versions.markVersionDeleted(this.sql, model, number, this.#stamp);
  }
  touchAlias(model: string, alias: string): Promise<void> {
    return aliases.touchAlias(this.sql, model, alias, this.#stamp);
  }
  pointAlias(model: string, alias: string, version: number, actor: string): Promise<void> {
    return aliases.pointAlias(this.sql, { model, alias, version }, { ...this.#stamp, actor });
  }
  deleteAlias(model: string, alias: string): Promise<void> {
    return aliases.deleteAlias(this.sql, model, alias, this.#stamp);
  }
  insertMove(move: AliasMove): Promise<void> {
    return aliases.insertMove(this.sql, move);
  }
  endMove(id: string, state: AliasMoveState, reasons: readonly string[]): Promise<void> {
    return aliases.endMove(this.sql, id, state, reasons, this.#stamp);
  }
  insertApproval(approval: ApprovalRecord): Promise<void> {
    return holds.insertApproval(this.sql, approval);
  }
  insertPin(model: string, version: number): Promise<void> {
    return holds.insertPin(this.sql, model, version, this.#stamp);
  }
  deletePin(model: string, version: number): Promise<void> {
    return holds.endPin(this.sql, model, version, this.#stamp);
  }
  retain(retained: Retained): Promise<void> {
    return holds.insertRetained(this.sql, retained);
  }
  endRetained(model: string, alias: string, version: number): Promise<void> {
    return holds.deleteRetained(this.sql, model, alias, version);
  }
  insertQuarantine(quarantine: Omit<QuarantineRecord, 'since' | 'actor'>): Promise<void> {
    return quarantines.insertQuarantine(this.sql, quarantine, this.#stamp);
  }
  endQuarantine(model: string, version: number, pool: string): Promise<void> {
    return quarantines.endQuarantine(this.sql, { model, version, pool }, this.#stamp);
  }
  replaceRelease(model: string, release: Release | undefined): Promise<void> {
    return releases.replaceRelease(this.sql, model, release, this.#stamp);
  }
  settle(model: string): Promise<void> {
    return settleModel(this.sql, model, this.#stamp);
  }
}
