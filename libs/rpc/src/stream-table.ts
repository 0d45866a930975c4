import { NumberMap } from '@sluice/wire/number-map';

/** As much of what node:http2 knows of a connection as is needed here: its streams by their ids. */
interface SessionState {
  streams: Table;
}

type Table = Pick<NumberMap<object>, 'get' | 'delete' | 'forEach' | 'size'> & {
  set(key: number, value: object): unknown;
};

/**
 * Has the connections of a server keep their streams in a table that keeps no garbage alive (`LinkedList` says how a Map does, and
 * ADR 84 what it costs: all that belongs to a request, until the next major collection).
 *
 * This reaches into grpc-js and node:http2. Where a version of Node looks otherwise inside, nothing is changed.
 *
 * @param server of grpc-js, bound
 */
export function releaseStreams(server: object): void {
  const { http2Servers } = server as { readonly http2Servers?: ReadonlyMap<NodeJS.EventEmitter, unknown> };
  for (const listener of http2Servers?.keys() ?? [])
    if (!listener.listeners('session').includes(replaceStreams)) listener.prependListener('session', replaceStreams);
}

/** @param session one that has no streams yet */
export function replaceStreams(session: object): void {
  const state = stateOf(session);
  if (state !== undefined && isEmptyTable(state.streams)) state.streams = new NumberMap();
}

/** Its map is of a class of Node's own, so its methods tell: what node:http2 uses of it, and nothing else. */
function isEmptyTable(value: unknown): boolean {
  const table = value as Partial<Table> | undefined;
  const methods = [table?.get, table?.set, table?.delete, table?.forEach];
  return methods.every((method) => typeof method === 'function') && table!.size === 0;
}

/** Undefined where it is not as expected. */
export function stateOf(session: object): SessionState | undefined {
  const symbol = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'state');
  return symbol === undefined ? undefined : (session as Record<symbol, SessionState | undefined>)[symbol];
}
