import type { ArtifactSource } from '../versions/artifact-cache.ts';
import type { Strike } from '../watchdog/judge.ts';
import type { Assignment, PlacementChange } from '../versions/assignment.ts';

/** A version's state as a lease reports it. */
export interface ReportedVersion {
  readonly model: string;
  readonly version: number;
  readonly state: 'loading' | 'ready' | 'failed' | 'unloading' | 'evicted';
  /** Why it failed; '' otherwise. */
  readonly reason: string;
  /** The devices that were asked for, and those that its sessions are on; for people. */
  readonly devices: { readonly asked: string; readonly got: string };
}

/** What a runtime says of itself when it renews its lease. */
export interface LeaseReport {
  readonly appliedRevision: number;
  readonly versions: readonly ReportedVersion[];
  /** What the versions hold of the memory budget. */
  readonly memoryUsedBytes: number;
}

/** The registry as a runtime sees it. Failures are SluiceErrors. */
export interface RegistryPort extends ArtifactSource {
  /** A snapshot, or from `resumeToken` on what changed, and then changes until the connection breaks. */
  watchAssignments(resumeToken: number, signal: AbortSignal): AsyncIterable<PlacementChange>;
  /** @returns the time to live that the registry granted, in milliseconds */
  renewLease(report: LeaseReport): Promise<number>;
  /**
   * What it takes to load a version that is not placed here.
   * @throws SluiceError not-found when there is no such version that may be served
   */
  getAssignment(model: string, version: number): Promise<Assignment>;
  /**
   * Says what a version did to this runtime; the same strike counts once.
   * @returns whether it is quarantined now, and how many of its strikes count
   */
  reportStrike(strike: Strike): Promise<{ readonly quarantined: boolean; readonly strikes: number }>;
  /** Ends the lease at once. */
  releaseLease(): Promise<void>;
}
