import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { NumberMap } from '@sluice/wire/number-map';
import { expect, it } from 'vitest';
import { stateOf } from '../src/stream-table.ts';
import { start, transport } from './world.ts';

const channel = 'http2.server.stream.start';

it('connections of a server on grpc-js keep their streams in a table of ours', async () => {
  const tables: unknown[] = [];
  const look = (message: unknown): void => {
    const { stream } = message as { readonly stream: { readonly session: object } };
    tables.push(stateOf(stream.session)?.streams);
  };
  subscribe(channel, look);
  const { registry } = await start({ getModel: async () => ({ model: { name: 'm' } }) });
  await registry.getModel({ name: 'm' });
  unsubscribe(channel, look);
  // On libs/wire there is no node:http2 in the server.
  expect(tables.map((table) => table instanceof NumberMap)).toEqual(transport === 'grpc-js' ? [true] : []);
});
