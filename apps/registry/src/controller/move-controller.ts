import { nextMoveAction } from '@sluice/domain/alias-move';
import type { Clock, Timer } from '@sluice/domain/clock';
import { whereItGoes, whyNobody } from '@sluice/domain/device';
import { SluiceError } from '@sluice/domain/errors';
import type { Outage } from '@sluice/domain/lease';
import { spanEnd } from '@sluice/domain/lease';
import { servingDefaults } from '@sluice/domain/signature';
import { takeEffect, withdraw } from '../usecases/end-move.ts';
import { reportsOf } from '../usecases/move-progress.ts';
import { liveOffers } from '../usecases/placing.ts';
import type { AliasMove, Leases, Retained } from '../usecases/records.ts';
import type { RegistryState } from '../usecases/state.ts';
import { systemActor } from '../usecases/state.ts';

/** After an outage runtimes have at least this long to report before a move is judged by its time-out. */
const moveGraceMs = 10_000;
const idleMs = 1_000;

export interface MoveControllerPorts {
  readonly state: RegistryState;
  /** Leases and the outages that they were judged by. */
  readonly leases: { readWithOutages(): Promise<{ readonly leases: Leases; readonly outages: readonly Outage[] }> };
  /** True while this replica holds the controller's lock. */
  readonly leads: () => boolean;
  /** Work of the leader that is not about moves; each decides itself how often it is due. */
  readonly chores: readonly (() => Promise<void>)[];
  readonly clock: Clock;
  readonly retainMs: number;
  readonly onError: (error: unknown, what: string) => void;
  readonly onMoveEnded?: (move: AliasMove) => void;
}

/**
 * Ends requested moves and the retention of versions that aliases left. Runs in the replica that leads; were two to
 * lead for a moment, the second would find the move ended and do nothing.
 */
export class MoveController {
  readonly #ports: MoveControllerPorts;
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #chores: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(ports: MoveControllerPorts) {
    this.#ports = ports;
  }

  /** Looks again soon: a change was made, a lease was renewed, or the lock was won. */
  wake(): void {
    if (this.#closed) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    this.#timer?.cancel();
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (this.#closed) return;
      this.#timer = this.#ports.clock.schedule(this.#again ? 0 : idleMs, () => this.wake());
      this.#again = false;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await Promise.all([this.#running, this.#chores]);
  }

  async #run(): Promise<void> {
    if (!this.#ports.leads()) return;
    await this.#attempt('moves', () => this.#endMoves());
    await this.#attempt('retention', () => this.#endRetention());
    // Beside this: a walk through a large store must not keep a move waiting.
    this.#chores ??= this.#doChores().finally(() => (this.#chores = undefined));
  }

  /** One at a time, while this replica leads. */
  async #doChores(): Promise<void> {
    for (const chore of this.#ports.chores) {
      if (this.#closed || !this.#ports.leads()) return;
      await this.#attempt('chore', chore);
    }
  }

  async #attempt(what: string, fn: () => Promise<void>): Promise<void> {
    try {
      await fn();
    } catch (error) {
      if (SluiceError.from(error).kind !== 'unavailable') this.#ports.onError(error, what);
    }
  }

  async #endMoves(): Promise<void> {
    const pending = await this.#ports.state.read((reads) => reads.pendingMoves());
    if (pending.length === 0) return;
    const { leases, outages } = await this.#ports.leases.readWithOutages();
    for (const move of pending) {
      const version = await this.#ports.state.read((reads) => reads.version(move.model, move.toVersion));
      const serving = version?.serving ?? servingDefaults;
      const span = { from: move.requestedAt, ms: move.timeoutMs, graceMs: Math.min(moveGraceMs, move.timeoutMs) };
      const action = nextMoveAction(
        {
          where: whereItGoes(serving),
          nobody: whyNobody(serving, liveOffers(leases)),
          requestedRevision: move.requestedRevision,
          deadline: spanEnd(span, outages),
        },
        reportsOf(move, serving, leases),
        leases.now,
      );
      if (action.kind !== 'wait') await this.#endMove(move, action);
    }
  }

  async #endMove(
    move: AliasMove,
    action: { readonly kind: 'effective' | 'withdrawn'; readonly reasons: readonly string[] },
  ): Promise<void> {
    const ended = await this.#ports.state.change(systemActor, async (change) => {
      const current = await change.move(move.id);
      if (current?.state !== 'requested') return { entries: [], result: undefined };
      const end =
        action.kind === 'effective'
          ? await takeEffect(change, current, action.reasons, this.#ports.retainMs)
          : await withdraw(change, current, action.reasons);
      return { entries: [end.entry], result: end.move };
    });
    if (ended) this.#ports.onMoveEnded?.(ended);
  }

  async #endRetention(): Promise<void> {
    const over = await this.#ports.state.read((reads) => reads.retainedOver());
    const models = new Set(over.map((kept) => kept.model));
    for (const model of models) await this.#endRetained(model);
  }

  async #endRetained(model: string): Promise<void> {
    await this.#ports.state.change(systemActor, async (change) => {
      const over = (await change.retained(model)).filter((kept) => kept.until <= change.effectiveAt);
      if (over.length === 0) return { entries: [], result: undefined };
      for (const kept of over) await change.endRetained(model, kept.alias, kept.version);
      await change.settle(model);
      return { entries: [retentionEnded(model, over)], result: undefined };
    });
  }
}

const retentionEnded = (model: string, over: readonly Retained[]) => ({
  action: 'retention.ended',
  object: `model/${model}`,
  body: { model, versions: over.map(({ alias, version }) => ({ alias, version })) },
});
