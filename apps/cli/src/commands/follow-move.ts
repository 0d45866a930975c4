import type { AliasMove__Output } from '@sluice/contracts/gen/sluice/registry/v1/AliasMove';
import type { RouterProgress__Output } from '@sluice/contracts/gen/sluice/registry/v1/RouterProgress';
import type { WatchAliasMoveResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/WatchAliasMoveResponse';
import { type CliContext, pause, progress } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { showEnum } from '../format.ts';
import { isWorthRetrying } from '../push/upload.ts';

/** Longest wait for routers once a move is in effect, in milliseconds. */
export const routersMs = 10_000;
/** Longest time without a registry that answers, in milliseconds. */
const silenceMs = 30_000;

export interface MoveEnd {
  readonly move: AliasMove__Output;
  readonly routers: readonly RouterProgress__Output[];
}

/**
 * Follows a move until every router with a live lease has applied it. Throws when it is withdrawn or cancelled, and
 * when routers have not applied it after 10 s, naming them.
 */
export async function followMove(context: CliContext, requested: AliasMove__Output): Promise<MoveEnd> {
  return new MoveFollower(context, requested).follow();
}

class MoveFollower {
  readonly #context: CliContext;
  readonly #stop = new AbortController();
  #move: AliasMove__Output;
  #routers: readonly RouterProgress__Output[] = [];
  #shown = '';
  #lastHeard: number;
  #late = false;
  #done = false;
  #timer: { cancel(): void } | undefined;

  constructor(context: CliContext, move: AliasMove__Output) {
    this.#context = context;
    this.#move = move;
    this.#lastHeard = context.clock.monotonic();
  }

  async follow(): Promise<MoveEnd> {
    try {
      for (let attempt = 0; ; attempt += 1) {
        if (await this.#watchOnce()) break;
        await pause(this.#context, Math.min(2000, 100 * 2 ** attempt));
      }
    } finally {
      this.#timer?.cancel();
    }
    this.#refuseUnlessEffective();
    const behind = this.#routers.filter((router) => !router.applied);
    if (behind.length > 0 || !this.#done) throw this.#notApplied(behind);
    return { move: this.#move, routers: this.#routers };
  }

  /** Follows one stream; true when there is nothing left to wait for. */
  async #watchOnce(): Promise<boolean> {
    const signal = AbortSignal.any([this.#context.signal, this.#stop.signal]);
    try {
      for await (const update of this.#context.services.registry.watchAliasMove(
        { moveId: this.#move.id },
        { signal },
      )) {
        this.#take(update);
        if (update.done) return (this.#done = true);
      }
      return false;
    } catch (error) {
      if (this.#late) return true;
      const silent = this.#context.clock.monotonic() - this.#lastHeard;
      if (!isWorthRetrying(error) || silent > silenceMs) throw error;
      return false;
    }
  }

  #take(update: WatchAliasMoveResponse__Output): void {
    this.#lastHeard = this.#context.clock.monotonic();
    if (update.move) this.#move = update.move;
    this.#routers = update.routers;
    const line = describeProgress(this.#move, this.#routers);
    if (line !== this.#shown) progress(this.#context, `  ${line}`);
    this.#shown = line;
    if (this.#move.state !== 'ALIAS_MOVE_STATE_EFFECTIVE' || this.#timer) return;
    this.#timer = this.#context.clock.schedule(routersMs, () => {
      this.#late = true;
      this.#stop.abort();
    });
  }

  #refuseUnlessEffective(): void {
    const { state, reasons, model, alias, toVersion, fromVersion } = this.#move;
    if (state === 'ALIAS_MOVE_STATE_EFFECTIVE') return;
    const stays = Number(fromVersion) > 0 ? `${alias} stays on version ${fromVersion}` : `${alias} stays unset`;
    const why = reasons.length > 0 ? `: ${reasons.join('; ')}` : '';
    throw new CliError(
      exitCodes.refused,
      `the move of ${model} ${alias} to version ${toVersion} was ${showEnum(state, 'ALIAS_MOVE_STATE')}${why}; ${stays}`,
      `sluice show ${model} ${toVersion} and sluice runtimes say more.`,
    );
  }

  #notApplied(behind: readonly RouterProgress__Output[]): CliError {
    const { model, alias, toVersion } = this.#move;
    const names =
      behind.map((router) => `${router.routerId} (at revision ${router.appliedRevision})`).join(', ') ||
      'unknown, the registry has not said';
    return new CliError(
      exitCodes.incomplete,
      `${model} ${alias} is version ${toVersion}, but after ${routersMs / 1000} s these routers have not applied it: ${names}`,
      'They may still answer with the old version. sluice runtimes shows when they have it; look at their logs if they never do.',
    );
  }
}

/** One line that says how far a move is. */
export function describeProgress(move: AliasMove__Output, routers: readonly RouterProgress__Output[]): string {
  const name = `${move.model} ${move.alias} to version ${move.toVersion}`;
  if (move.state === 'ALIAS_MOVE_STATE_REQUESTED') {
    const states = move.runtimes.map((one) => {
      const reason = one.reason ? ` (${one.reason})` : '';
      const state = one.state === 'LOAD_STATE_UNSPECIFIED' ? 'not yet' : showEnum(one.state, 'LOAD_STATE');
      return `${one.runtimeId} ${state}${reason}`;
    });
    return `${name}: requested; ${states.length > 0 ? states.join(', ') : 'waiting for runtimes'}`;
  }
  if (move.state !== 'ALIAS_MOVE_STATE_EFFECTIVE') return `${name}: ${showEnum(move.state, 'ALIAS_MOVE_STATE')}`;
  const applied = routers.filter((router) => router.applied).length;
  return `${name}: in effect; applied by ${applied} of ${routers.length} routers`;
}
