import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { startPostgres, type TestPostgres } from '@sluice/testkit/postgres';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listen, type Listener } from '../src/listen.ts';

let postgres: TestPostgres;
let listener: Listener;
let wakes: (string | undefined)[];
let connected: boolean[];

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

beforeEach(async () => {
  wakes = [];
  connected = [];
  listener = listen({
    url: postgres.ownerUrl(),
    applicationName: 'listen-test',
    clock: systemClock,
    random: systemRandom,
    channels: ['news', 'more_news'],
    onWake: (channel) => wakes.push(channel),
    onConnected: (up) => connected.push(up),
    maxDelayMs: 200,
    heartbeatMs: 50,
  });
  await eventually(() => expect(connected).toEqual([true]));
});
afterEach(() => listener.close());

async function query(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgres.ownerUrl() });
  await client.connect();
  await client.query(sql);
  await client.end();
}

describe('listen', () => {
  it('wakes once it is connected, and on each channel', async () => {
    expect(wakes).toEqual([undefined]);
    await query('NOTIFY more_news');
    await query(`SELECT pg_notify('news', 'ignored')`);
    await eventually(() => expect(wakes).toEqual([undefined, 'more_news', 'news']));
  });

  it('wakes after a connection that was cut, for what it may have missed', async () => {
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'listen-test'`;
    await query(cut);
    await eventually(() => expect(connected).toEqual([true, false, true]));
    expect(wakes).toEqual([undefined, undefined]);
    await query('NOTIFY news');
    await eventually(() => expect(wakes.at(-1)).toBe('news'));
  });

  it('comes back after the server did', async () => {
    await postgres.kill();
    // It tries again while other processes of the server end, and says so each time.
    await eventually(() => expect(connected.slice(0, 2)).toEqual([true, false]));
    await postgres.restart();
    await eventually(() => expect(connected.at(-1)).toBe(true));
    await query('NOTIFY news');
    await eventually(() => expect(wakes.at(-1)).toBe('news'));
  });

  it('is silent after it was closed', async () => {
    await listener.close();
    const before = wakes.length;
    await query('NOTIFY news');
    expect(wakes).toHaveLength(before);
    expect(connected).toEqual([true]);
  });

  it('refuses channel names that would need quoting', () => {
    const wrong = { url: '', applicationName: '', clock: systemClock, random: systemRandom, channels: ['a;b'] };
    expect(() => listen({ ...wrong, onWake: () => undefined })).toThrow(TypeError);
  });
});
