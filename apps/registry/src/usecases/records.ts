import type { AliasMoveState, LoadState } from '@sluice/domain/alias-move';
import type { ModelSettings } from '@sluice/domain/model';
import type { DataSetRef } from '@sluice/domain/data-set';
import type { StrikeKind } from '@sluice/domain/quarantine';
import type { ServingConfig, Signature } from '@sluice/domain/signature';
import type { VersionFile, VersionState } from '@sluice/domain/version';
import type { AdmissionReport } from '../admission/admission.ts';

// What the store keeps, as domain values. Times are milliseconds since the epoch, revisions are leaf indexes.

export interface ModelRecord {
  readonly name: string;
  readonly settings: ModelSettings;
  /** Of the model's own last change: its making or its settings. */
  readonly revision: number;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Versions ever made. */
  readonly versionCount: number;
}

/** What a version is made of; it never changes. */
export interface VersionContent {
  readonly digest: string;
  readonly files: readonly VersionFile[];
  readonly graphPath: string;
  readonly signature: Signature;
  readonly manifestJson: string;
}

export interface VersionRecord extends VersionContent {
  readonly model: string;
  readonly number: number;
  readonly state: VersionState;
  /** Batching may have been turned off by admission. */
  readonly serving: ServingConfig;
  readonly admission: AdmissionReport | undefined;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly revision: number;
  /** Why it was rejected; '' otherwise. */
  readonly rejection: string;
  /** The run that made it; '' for none. */
  readonly run: string;
  /** What it was trained on, as whoever pushed it said. */
  readonly dataSets: readonly DataSetRef[];
}

export interface AliasRecord {
  readonly model: string;
  readonly alias: string;
  /** Undefined while its first move is under way. */
  readonly version: number | undefined;
  readonly revision: number;
  readonly since: number | undefined;
  readonly actor: string;
}

export interface AliasMove {
  /** Model, alias and the revision of the request: `digits/champion@17`. */
  readonly id: string;
  readonly model: string;
  readonly alias: string;
  /** Undefined when the alias did not exist. */
  readonly fromVersion: number | undefined;
  readonly toVersion: number;
  readonly state: AliasMoveState;
  readonly reasons: readonly string[];
  readonly requestedAt: number;
  readonly endedAt: number | undefined;
  readonly actor: string;
  readonly timeoutMs: number;
  /** Asked for as a rollback, not by naming the version. */
  readonly rollback: boolean;
  readonly requestedRevision: number;
  readonly endedRevision: number | undefined;
}

/** A stretch of time during which an alias pointed to one version; `to` is undefined while it lasts. */
export interface AliasHistoryEntry {
  readonly alias: string;
  readonly version: number;
  readonly from: number;
  readonly to: number | undefined;
  readonly actor: string;
  readonly revision: number;
  /** A rollback began it. */
  readonly rollback: boolean;
}

/** A version that an alias left and that stays placed until a time, so that going back is immediate. */
export interface Retained {
  readonly model: string;
  readonly alias: string;
  readonly version: number;
  readonly until: number;
}

/** A version as people see it. */
export interface VersionView extends VersionRecord {
  readonly approvals: readonly ApprovalRecord[];
  readonly aliases: readonly string[];
  readonly pinned: boolean;
  readonly quarantines: readonly QuarantineRecord[];
}

/** A version that no runtime of a pool loads, because it ended them too often. */
export interface QuarantineRecord {
  readonly model: string;
  readonly version: number;
  readonly pool: string;
  readonly reason: string;
  readonly since: number;
  readonly actor: string;
}

/** What a version did to a runtime. */
export interface StrikeRecord {
  readonly id: string;
  readonly runtimeId: string;
  readonly pool: string;
  readonly model: string;
  readonly version: number;
  readonly kind: StrikeKind;
  /** By the runtime's clock. */
  readonly at: number;
}

/** What a list of names to redact finds among the inputs of a model's ready versions. */
export interface RedactableNames {
  /** Those that no version has. */
  readonly missing: readonly string[];
  /** The first, by name, of what there is. */
  readonly known: readonly string[];
}

export interface ApprovalRecord {
  readonly model: string;
  readonly version: number;
  readonly alias: string;
  readonly approver: string;
  readonly at: number;
  readonly revision: number;
}

export interface LoadedVersion {
  readonly model: string;
  readonly version: number;
  readonly state: LoadState;
  readonly reason: string;
  /** The devices that it asks for, and those that its sessions are on: for people. */
  readonly devicesAsked: string;
  readonly devicesGot: string;
}

/** A device that a runtime offers. */
export interface RuntimeDevice {
  readonly name: string;
  readonly state: 'available' | 'missing';
  /** What is missing and how it is installed; '' while it is there. */
  readonly detail: string;
}

/** What a runtime says of itself. */
export interface RuntimeAnnouncement {
  readonly runtimeId: string;
  readonly pool: string;
  /** host:port of its inference port. */
  readonly address: string;
  readonly appliedRevision: number;
  readonly ttlMs: number;
  readonly versions: readonly LoadedVersion[];
  readonly memoryBudgetBytes: number;
  readonly memoryUsedBytes: number;
  /** Empty for a runtime that knows of no devices, which has the CPU. */
  readonly devices: readonly RuntimeDevice[];
}

/** What a router says of itself. */
export interface RouterAnnouncement {
  readonly routerId: string;
  readonly address: string;
  readonly appliedRevision: number;
  readonly ttlMs: number;
}

export interface LeaseView {
  /** When it lapses; outages are counted in. */
  readonly expiresAt: number;
  readonly live: boolean;
}
export type RuntimeLease = RuntimeAnnouncement & LeaseView;
export type RouterLease = RouterAnnouncement & LeaseView;

/** All leases at one moment, judged by the database's clock. */
export interface Leases {
  /** The database's clock when they were read. */
  readonly now: number;
  readonly runtimes: readonly RuntimeLease[];
  readonly routers: readonly RouterLease[];
}
