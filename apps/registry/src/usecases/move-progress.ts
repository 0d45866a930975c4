import type { LoadState, RuntimeReport } from '@sluice/domain/alias-move';
import { isFor, type DeviceWishes } from '@sluice/domain/device';
import { offerOf } from './placing.ts';
import type { AliasMove, Leases } from './records.ts';

/** What the live runtimes that are to load the version of a move say of it. @param serving of that version */
export function reportsOf(
  move: AliasMove,
  serving: DeviceWishes,
  leases: Leases | undefined,
): readonly RuntimeReport[] {
  return (leases?.runtimes ?? [])
    .filter((runtime) => runtime.live && isFor(serving, offerOf(runtime)))
    .map((runtime) => {
      const loaded = runtime.versions.find((entry) => entry.model === move.model && entry.version === move.toVersion);
      return {
        runtimeId: runtime.runtimeId,
        appliedRevision: runtime.appliedRevision,
        state: loaded?.state,
        reason: loaded?.reason ?? '',
      };
    });
}

export interface RuntimeVersionState {
  readonly runtimeId: string;
  readonly state: LoadState | undefined;
  readonly reason: string;
}

export interface RouterProgress {
  readonly routerId: string;
  readonly appliedRevision: number;
  readonly applied: boolean;
}

/** Whether each live router has applied the revision with which a move took effect. */
export function routerProgress(move: AliasMove, leases: Leases | undefined): readonly RouterProgress[] {
  if (move.state !== 'effective' || move.endedRevision === undefined) return [];
  const { endedRevision } = move;
  return (leases?.routers ?? [])
    .filter((router) => router.live)
    .map(({ routerId, appliedRevision }) => ({
      routerId,
      appliedRevision,
      applied: appliedRevision >= endedRevision,
    }));
}
