import { defaultCapture } from '@sluice/domain/capture';
import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import type { ModelState } from '../watch/desired-state.ts';
import { emptyState, withModels } from '../watch/desired-state.ts';
import { WatchHub } from '../watch/hub.ts';
import type { Leases, RuntimeLease } from './records.ts';
import type { WatchEvent } from './watch.ts';
import { agreeProtocol, watchDesired } from './watch.ts';

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
const runtime = (runtimeId: string, appliedRevision = 0, live = true): RuntimeLease => ({
  runtimeId,
  pool: 'default',
  address: 'host:1',
  appliedRevision,
  ttlMs: 3_000,
  versions: [],
  memoryBudgetBytes: 0,
  memoryUsedBytes: 0,
  devices: [],
  expiresAt: 0,
  live,
});
const leases = (...runtimes: readonly RuntimeLease[]): Leases => ({ now: 0, runtimes, routers: [] });

function setUp() {
  const hub = new WatchHub();
  const desired = withModels(emptyState, [model('a', 3), model('b', 5)]);
  hub.publish({ desired, leases: leases(runtime('rt-1')) });
  const leaving = new AbortController();
  const reader = { refreshes: 0, refresh: async () => void (reader.refreshes += 1) };
  const watch = (resumeToken: number, withRuntimes = true) =>
    watchDesired({ hub, reader }, { resumeToken, protocolVersion: 1 }, withRuntimes, leaving.signal);
  return { hub, desired, reader, leaving, watch };
}

const next = async (stream: AsyncGenerator<WatchEvent, void, void>): Promise<WatchEvent> => {
  const { value } = await stream.next();
  if (!value) throw new Error('the stream ended');
  return value;
};
const names = (event: WatchEvent): readonly string[] => event.update.models.map((entry) => entry.model);

describe('a watch', () => {
  it('begins with a snapshot and the runtimes, then tells of changes only', async () => {
    const { hub, desired, watch } = setUp();
    const stream = watch(0);
    const first = await next(stream);
    expect([first.update.snapshot, names(first), first.runtimes?.length]).toEqual([true, ['a', 'b'], 1]);
    hub.publish({ desired: withModels(desired, [model('a', 8)]) });
    const second = await next(stream);
    expect([second.update.snapshot, names(second), second.since, second.runtimes]).toEqual([
      false,
      ['a'],
      5,
      undefined,
    ]);
  });

  it('says at once that a watcher with the current token is up to date', async () => {
    const { watch } = setUp();
    const first = await next(watch(5));
    expect(first.update).toEqual({ token: 5, snapshot: false, models: [] });
  });

  it('skips what is in between for a watcher that was slow', async () => {
    const { hub, desired, watch } = setUp();
    const stream = watch(5, false);
    await next(stream);
    let state = desired;
    for (let revision = 6; revision < 20; revision += 1) {
      state = withModels(state, [model(revision % 2 === 0 ? 'a' : 'c', revision)]);
      hub.publish({ desired: state });
    }
    const event = await next(stream);
    expect([event.update.token, names(event)]).toEqual([19, ['c', 'a']]);
  });

  it('tells of runtimes that come, change their devices and go, not of every renewal, and not to runtimes', async () => {
    const { hub, watch, leaving } = setUp();
    const stream = watch(5);
    await next(stream);
    const deaf = watch(5, false);
    await next(deaf);
    const nothing = deaf.next();
    hub.publish({ leases: leases(runtime('rt-1', 7)) });
    hub.publish({ leases: leases(runtime('rt-1', 8), runtime('rt-2')) });
    const event = await next(stream);
    expect(event.runtimes?.map(({ runtimeId }) => runtimeId)).toEqual(['rt-1', 'rt-2']);
    expect(event.update).toEqual({ token: 5, snapshot: false, models: [] });
    const cuda = { name: 'cuda:0', state: 'available', detail: '' } as const;
    hub.publish({ leases: leases(runtime('rt-1', 8), { ...runtime('rt-2'), devices: [cuda] }) });
    expect((await next(stream)).runtimes?.map(({ devices }) => devices)).toEqual([[], [cuda]]);
    const gone = stream.next();
    hub.publish({ leases: leases(runtime('rt-1', 8), runtime('rt-2', 0, false)) });
    expect((await gone).value!.runtimes?.map(({ runtimeId }) => runtimeId)).toEqual(['rt-1']);
    leaving.abort();
    expect((await nothing).done).toBe(true);
  });

  it('of a watcher that is ahead of this replica reads again first', async () => {
    const { hub, desired, reader, leaving } = setUp();
    reader.refresh = async () => {
      hub.publish({ desired: withModels(desired, [model('a', 9)]) });
    };
    const stream = watchDesired({ hub, reader }, { resumeToken: 8, protocolVersion: 1 }, false, leaving.signal);
    const event = await next(stream);
    expect([event.update.snapshot, names(event)]).toEqual([false, ['a']]);
  });

  it('is refused while nothing was ever read and nothing can be', async () => {
    const hub = new WatchHub();
    const reader = { refresh: () => Promise.reject(unavailable('away')) };
    const stream = watchDesired(
      { hub, reader },
      { resumeToken: 0, protocolVersion: 1 },
      true,
      new AbortController().signal,
    );
    await expect(stream.next()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('agrees on the lower version of the protocol, one apart at most', () => {
    expect([0, 1, 2, 3].map(agreeProtocol)).toEqual([1, 1, 2, 2]);
    expect(() => agreeProtocol(4)).toThrow(/protocol_version: 4 given/);
  });
});
