import type { DeviceWishes } from '@sluice/domain/device';
import { notFound, SluiceError } from '@sluice/domain/errors';
import { servingDefaults } from '@sluice/domain/signature';
import type { WatchHub } from '../watch/hub.ts';
import type { RouterProgress, RuntimeVersionState } from './move-progress.ts';
import { reportsOf, routerProgress } from './move-progress.ts';
import type { AliasMove } from './records.ts';
import type { RegistryState } from './state.ts';

export interface WatchMovePorts {
  readonly state: RegistryState;
  readonly hub: WatchHub;
  readonly reader: { refresh(): Promise<void> };
}

export interface MoveEvent {
  readonly move: AliasMove;
  readonly runtimes: readonly RuntimeVersionState[];
  readonly routers: readonly RouterProgress[];
  readonly done: boolean;
}

/**
 * A move until it has ended and, when it took effect, until every live router has applied it. While the database is
 * away after the first answer, the stream waits for it.
 */
export async function* watchAliasMove(
  ports: WatchMovePorts,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<MoveEvent, void, void> {
  let move = await ports.state.read((reads) => reads.move(id));
  if (!move) throw notFound(`move_id: there is no move "${id}"; \`sluice alias history MODEL\` lists moves`);
  const serving = await servingOf(ports.state, move);
  await ports.reader.refresh();
  let sent = '';
  while (!signal.aborted) {
    const { sequence, leases } = ports.hub.current;
    move = await latest(ports.state, move);
    const routers = routerProgress(move, leases);
    const done = move.state !== 'requested' && routers.every((router) => router.applied);
    const runtimes = reportsOf(move, serving, leases).map(({ runtimeId, state, reason }) => ({
      runtimeId,
      state,
      reason,
    }));
    const event: MoveEvent = { move, runtimes, routers, done };
    const text = JSON.stringify(event);
    if (text !== sent) yield event;
    if (done) return;
    sent = text;
    await ports.hub.newerThan(sequence, signal);
  }
}

/** How the version of a move is run: a version's never changes, and a number is never given again. */
async function servingOf(state: RegistryState, { model, toVersion }: AliasMove): Promise<DeviceWishes> {
  return (await state.read((reads) => reads.version(model, toVersion)))?.serving ?? servingDefaults;
}

async function latest(state: RegistryState, known: AliasMove): Promise<AliasMove> {
  if (known.state !== 'requested') return known;
  try {
    return (await state.read((reads) => reads.move(known.id))) ?? known;
  } catch (error) {
    if (SluiceError.from(error).kind === 'unavailable') return known;
    throw error;
  }
}
