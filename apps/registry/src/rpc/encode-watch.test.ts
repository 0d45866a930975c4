import { defaultCapture } from '@sluice/domain/capture';
import { servingDefaults } from '@sluice/domain/signature';
import { describe, expect, it } from 'vitest';
import type { RuntimeLease } from '../usecases/records.ts';
import type { WatchEvent } from '../usecases/watch.ts';
import type { ModelState } from '../watch/desired-state.ts';
import { encodeAssignments, encodeRoutes } from './encode-watch.ts';

const model = (name: string): ModelState => ({
  model: name,
  changedRevision: 1,
  aliases: [],
  release: undefined,
  placed: [
    {
      version: 1,
      digest: 'd',
      files: [],
      graphPath: 'model.onnx',
      signature: { inputs: [], outputs: [], batched: true },
      serving: { ...servingDefaults, warmupRequests: [{ name: 'w', batchSize: 1, count: 1, inputs: [] }] },
      heldBy: ['pin'],
      champion: false,
      pinnedOnly: true,
      aliases: [],
      modelBytes: 0,
      hasTask: true,
    },
  ],
  quarantined: [],
  unplaced: [],
  keepsSequences: false,
  capture: defaultCapture,
  left: [{ version: 2, revision: 9 }],
});
const event = (snapshot: boolean): WatchEvent => ({
  update: { token: 12, snapshot, models: ['a', 'b', 'c'].map(model) },
  since: 5,
  runtimes: [],
});

const inDefault = { pool: 'default', devices: [] };

describe('updates of a watch', () => {
  it('are one message where they fit into one', () => {
    const routes = [...encodeRoutes(event(true), 1, 10_000)];
    expect(routes.map(({ models, more }) => [models!.map((each) => each.model), more])).toEqual([
      [['a', 'b', 'c'], false],
    ]);
    const assignments = [...encodeAssignments(event(true), inDefault, 1, 10_000)];
    expect(assignments.map((each) => [each.assignments!.length, each.removed, each.more])).toEqual([[3, [], false]]);
    expect(
      [...encodeAssignments(event(true), { pool: 'other', devices: [] }, 1, 10_000)].map((each) => each.assignments),
    ).toEqual([[]]);
  });

  it('tell a router whether a version declares a task', () => {
    for (const hasTask of [false, true]) {
      const placed = [{ ...model('a').placed[0]!, hasTask }];
      const update = { token: 12, snapshot: true, models: [{ ...model('a'), placed }] };
      const [only] = [...encodeRoutes({ ...event(true), update }, 1, 10_000)];
      expect(only!.models![0]!.placed![0]!.hasTask).toBe(hasTask);
    }
  });

  it('tell a router whether some version of a model keeps sequences', () => {
    for (const keepsSequences of [false, true]) {
      const models = [{ ...model('a'), keepsSequences }];
      const [only] = [...encodeRoutes({ ...event(true), update: { token: 12, snapshot: true, models } }, 1, 10_000)];
      expect(only!.models![0]!.keepsSequences).toBe(keepsSequences);
    }
  });

  it('tell a router which evidence the model wants, with a release or without', () => {
    const capture = { ...defaultCapture, rate: 0.5, durability: 'durable', redact: ['age'] } as const;
    const models = [{ ...model('a'), release: undefined, capture }];
    const [only] = [...encodeRoutes({ ...event(true), update: { token: 12, snapshot: true, models } }, 1, 10_000)];
    const told = { rate: 0.5, durability: 'DURABILITY_DURABLE', redact: ['age'] };
    expect(only!.models![0]).toMatchObject({ release: null, capture: told });
  });

  it('tell a runtime of the versions that it can load', () => {
    const cuda = { ...servingDefaults, device: 'cuda' };
    const mixed: ModelState = {
      ...model('a'),
      placed: [...model('a').placed, { ...model('a').placed[0]!, version: 2, serving: cuda }],
    };
    const told = (pool: string, ...devices: readonly string[]) => {
      const all = { ...event(true), update: { token: 12, snapshot: true, models: [mixed] } };
      const [only] = [...encodeAssignments(all, { pool, devices }, 1, 10_000)];
      return only!.assignments!.map(({ version }) => version);
    };
    expect([told('default'), told('default', 'cpu'), told('default', 'cuda:0')]).toEqual([[1], [1], [2]]);
    expect([told('default', 'cpu', 'cuda:0'), told('gpu', 'cpu', 'cuda:1'), told('gpu', 'cpu')]).toEqual([
      [1, 2],
      [2],
      [],
    ]);
  });

  it('tell a runtime which versions no runtime may have, placed or not', () => {
    const of = { pool: 'gpu', reason: 'it ended its runtime 3 times', since: 1, actor: 'runtime:rt-1' };
    const poison: ModelState = { ...model('b'), quarantined: [{ model: 'b', version: 7, ...of }] };
    for (const snapshot of [true, false]) {
      const all = { ...event(snapshot), update: { token: 12, snapshot, models: [model('a'), poison] } };
      const told = [...encodeAssignments(all, inDefault, 1, 1)].map(({ quarantined }) => quarantined);
      expect(told).toEqual([[], [expect.objectContaining({ model: 'b', version: 7, reason: of.reason })]]);
    }
  });

  it('tell runtimes of warm-up requests, and routers not', () => {
    const [routes] = [...encodeRoutes(event(true), 1, 10_000)];
    expect(routes!.models![0]!.placed![0]!.serving!.warmupRequests).toEqual([]);
    const [assignments] = [...encodeAssignments(event(true), inDefault, 1, 10_000)];
    expect(assignments!.assignments![0]!.serving!.warmupRequests).toMatchObject([{ name: 'w' }]);
  });

  it('tell routers what runtimes offer, and not what they have loaded', () => {
    const lease: RuntimeLease = {
      ...{ runtimeId: 'rt-1', pool: 'gpu', address: 'a:1', appliedRevision: 1, ttlMs: 1, expiresAt: 0, live: true },
      ...{ memoryBudgetBytes: 0, memoryUsedBytes: 0 },
      versions: [{ model: 'a', version: 1, state: 'ready', reason: '', devicesAsked: '', devicesGot: '' }],
      devices: [{ name: 'cuda:0', state: 'available', detail: '' }],
    };
    const [routes] = [...encodeRoutes({ ...event(true), runtimes: [lease] }, 1, 10_000)];
    expect(routes!.runtimes!.runtimes).toMatchObject([{ pool: 'gpu', versions: [], devices: [{ name: 'cuda:0' }] }]);
  });

  it('come in parts that say of which update they are, the last with the runtimes', () => {
    const routes = [...encodeRoutes(event(true), 1, 1)];
    expect(routes.map(({ models, snapshot, more }) => [models![0]!.model, snapshot, more])).toEqual([
      ['a', true, true],
      ['b', true, true],
      ['c', true, false],
    ]);
    expect(routes.map(({ resumeToken, runtimes }) => [resumeToken, runtimes])).toEqual([
      [12, null],
      [12, null],
      [12, { runtimes: [] }],
    ]);
    const assignments = [...encodeAssignments(event(false), inDefault, 1, 1)];
    expect(assignments.map((each) => [each.assignments![0]!.model, each.removed, each.more])).toEqual([
      ['a', [{ model: 'a', version: 2 }], true],
      ['b', [{ model: 'b', version: 2 }], true],
      ['c', [{ model: 'c', version: 2 }], false],
    ]);
  });
});
