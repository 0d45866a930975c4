import { defaultCapture } from '@sluice/domain/capture';
import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Leases } from '../usecases/records.ts';
import type { ModelState } from './desired-state.ts';
import { WatchHub } from './hub.ts';
import type { ModelsSince, WatchSource } from './reader.ts';
import { pollMs, WatchReader } from './reader.ts';

const model = (name: string, changedRevision: number): ModelState => ({
  model: name,
  changedRevision,
  aliases: [],
  release: undefined,
  placed: [],
  quarantined: [],
  unplaced: [],
  keepsSequences: false,
  capture: defaultCapture,
  left: [],
});

/** A database in memory: what is in it, and what it was asked. */
class Database implements WatchSource {
  models: ModelState[] = [];
  floor = 0;
  expiresIn: number | undefined;
  away = false;
  readonly asked: number[] = [];

  async modelsSince(token: number): Promise<ModelsSince> {
    this.asked.push(token);
    if (this.away) throw unavailable('away');
    const latest = Math.max(0, ...this.models.map((entry) => entry.changedRevision));
    const models = this.models.filter((entry) => token === 0 || entry.changedRevision > token);
    return { latest, floor: this.floor, models };
  }

  async leases(): Promise<Leases> {
    if (this.expiresIn === undefined) return { now: 0, runtimes: [], routers: [] };
    const router = {
      routerId: 'r',
      address: 'a:1',
      appliedRevision: 0,
      ttlMs: 1,
      expiresAt: this.expiresIn,
      live: true,
    };
    return { now: 0, runtimes: [], routers: [router] };
  }
}

function setUp() {
  const database = new Database();
  const hub = new WatchHub();
  const clock = new FakeClock();
  const errors: unknown[] = [];
  const reader = new WatchReader(database, hub, clock, (error) => errors.push(error));
  return { database, hub, clock, reader, errors };
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

describe('the reader', () => {
  it('reads from the revision it has, and publishes what it found', async () => {
    const { database, hub, reader } = setUp();
    database.models = [model('a', 3)];
    await reader.refresh();
    expect(hub.current.desired?.token).toBe(3);
    database.models = [model('a', 3), model('b', 5)];
    await reader.refresh();
    expect([...hub.current.desired!.models.keys()]).toEqual(['a', 'b']);
    expect(database.asked).toEqual([0, 3]);
  });

  it('makes one more read of any number of wake-ups that come during a read', async () => {
    const { database, reader } = setUp();
    const first = reader.refresh();
    for (let times = 0; times < 10; times += 1) reader.wake();
    await first;
    await settle();
    expect(database.asked).toHaveLength(2);
  });

  it('reads again after the poll time at the latest, and when the next lease may lapse', async () => {
    const { database, reader, clock } = setUp();
    await reader.refresh();
    clock.advance(pollMs - 1);
    await settle();
    expect(database.asked).toHaveLength(1);
    database.expiresIn = 700;
    clock.advance(1);
    await settle();
    expect(database.asked).toHaveLength(2);
    clock.advance(700);
    await settle();
    expect(database.asked).toHaveLength(2);
    clock.advance(1);
    await settle();
    expect(database.asked).toHaveLength(3);
    reader.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('leaves the last state in place while the database is away, without calling it a defect', async () => {
    const { database, hub, reader, errors } = setUp();
    database.models = [model('a', 3)];
    await reader.refresh();
    database.away = true;
    await expect(reader.refresh()).rejects.toThrow('away');
    expect([hub.current.desired?.token, hub.current.sequence, errors]).toEqual([3, 1, []]);
  });

  it('forgets all it knew when the database is older than that, and trusts no token of before', async () => {
    const { database, hub, reader } = setUp();
    database.models = [model('a', 3), model('b', 9)];
    await reader.refresh();
    database.models = [model('a', 3)];
    await reader.refresh();
    expect([...hub.current.desired!.models.keys()]).toEqual(['a']);
    expect([hub.current.desired?.token, hub.current.desired?.floor]).toEqual([3, 9]);
  });

  it('takes the floor of a restore that another replica accepted', async () => {
    const { database, hub, reader } = setUp();
    database.models = [model('a', 3)];
    await reader.refresh();
    database.floor = 7;
    database.models = [model('a', 12)];
    await reader.refresh();
    expect([hub.current.desired?.token, hub.current.desired?.floor]).toEqual([12, 7]);
  });
});
