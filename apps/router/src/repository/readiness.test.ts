import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { settle } from '../../test/doubles.ts';
import { MemoryRepository } from '../../test/memory-repository.ts';
import { modelRoute } from '../../test/routes.ts';
import type { ModelFacts } from '../../test/routes.ts';
import { versionKey } from '../route/table.ts';
import type { RouteTable, VersionRoute } from '../route/table.ts';
import { ModelControl } from './model-control.ts';
import { Readiness } from './readiness.ts';
import type { SeenRuntime } from './readiness.ts';

const key = versionKey('digits', 2);

class World {
  table: RouteTable | undefined;
  runtimes: SeenRuntime[] = [];
  /** Versions that were woken, and how that ends. */
  readonly woken: string[] = [];
  wakes: (signal: AbortSignal) => Promise<void> = () => new Promise(() => undefined);
  readonly readiness = new Readiness({
    table: () => this.table,
    runtimes: () => this.runtimes,
    wake: (version: VersionRoute, signal) => {
      this.woken.push(version.key);
      return this.wakes(signal);
    },
  });

  route(revision: number, ...placed: number[]): void {
    this.say(revision, { placed });
  }

  say(revision: number, facts: ModelFacts | undefined): void {
    this.table = { revision, models: new Map(facts ? [['digits', modelRoute(facts)]] : []) };
    this.readiness.changed();
  }

  runtime(
    id: string,
    says: 'ready' | 'failed' | 'loading' | 'gave way' | 'comes back' | 'unheard',
    more: Partial<Pick<SeenRuntime, 'state' | 'offer'>> = {},
  ): void {
    const ready = new Set(says === 'ready' ? [key] : []);
    const reasons = { failed: 'no memory', loading: '', 'gave way': 'unloaded', 'comes back': '' };
    const notReady = new Map(says === 'ready' || says === 'unheard' ? [] : [[key, reasons[says]]]);
    const onDemand = new Set(says === 'gave way' || says === 'comes back' ? [key] : []);
    this.runtimes = this.runtimes.filter(({ runtimeId }) => runtimeId !== id);
    const offer = { pool: 'default', devices: ['cpu'] };
    this.runtimes.push({ runtimeId: id, address: 'h:1', state: 'up', offer, ready, notReady, onDemand, ...more });
    this.readiness.changed();
  }

  /** How a wait for version 2 of revision 5 ends. */
  wait(signal = new AbortController().signal): { readonly outcome: () => string } {
    let outcome = 'waits';
    this.readiness.whenReady('digits', 2, 5, signal).then(
      () => (outcome = 'ready'),
      (error: unknown) => (outcome = (error as Error).message),
    );
    return { outcome: () => outcome };
  }
}

describe('whenReady', () => {
  it('waits for the routes of the pin and for one live runtime', async () => {
    const world = new World();
    const { outcome } = world.wait();
    world.runtime('a', 'ready', { state: 'draining' });
    world.runtime('b', 'loading');
    world.route(5, 1, 2);
    await settle();
    expect(outcome()).toBe('waits');
    world.route(4, 1, 2);
    world.runtime('b', 'ready');
    await settle();
    expect(outcome()).toBe('waits');
    world.route(6, 1, 2);
    await settle();
    expect(outcome()).toBe('ready');
  });

  it('fails with every reason when all live runtimes have failed, and not before', async () => {
    const world = new World();
    const { outcome } = world.wait();
    world.route(5, 2);
    world.runtime('a', 'failed');
    world.runtime('c', 'failed', { state: 'connecting' });
    await settle();
    expect(outcome()).toBe('no runtime can load version 2: a: no memory');
    const other = world.wait();
    expect(other.outcome()).toBe('waits');
    for (const says of ['loading', 'unheard'] as const) {
      world.runtimes = [];
      world.runtime('b', says);
      world.runtime('a', 'failed');
      const { outcome: next } = world.wait();
      await settle();
      expect(next()).toBe('waits');
      world.runtime('b', 'failed');
      await settle();
      expect(next()).toBe('no runtime can load version 2: a: no memory; b: no memory');
    }
  });

  it('ends as soon as the version is quarantined or placed no more, and not for routes of before', async () => {
    const ends: readonly [ModelFacts | undefined, RegExp][] = [
      [
        { placed: [1], unplaced: [2], quarantined: { 2: 'it ended its runtime' } },
        /^digits version 2 is quarantined: it/,
      ],
      [{ placed: [1], unplaced: [2] }, /^version 2 was taken away meanwhile/],
      [undefined, /^version 2 was taken away meanwhile/],
    ];
    for (const [facts, message] of ends) {
      const world = new World();
      world.runtime('a', 'loading');
      const { outcome } = world.wait();
      world.say(4, facts);
      await settle();
      expect(outcome()).toBe('waits');
      world.route(5, 1, 2);
      await settle();
      expect(outcome()).toBe('waits');
      world.say(6, facts);
      await settle();
      expect(outcome()).toMatch(message);
    }
  });

  it('looks at the runtimes that the version is for, and at those that speak of it', async () => {
    const world = new World();
    const gpu = { offer: { pool: 'gpu', devices: ['cuda:0'] } };
    world.route(5, 2);
    world.runtime('gpu', 'unheard', gpu);
    const { outcome } = world.wait();
    await settle();
    // One of pool default may come.
    expect(outcome()).toBe('waits');
    world.runtime('a', 'failed');
    await settle();
    expect(outcome()).toBe('no runtime can load version 2: a: no memory');
    world.runtime('gpu', 'loading', gpu);
    const other = world.wait();
    // A registry that tells of no devices.
    world.runtime('gpu', 'failed', { offer: undefined });
    await settle();
    expect(other.outcome()).toBe('no runtime can load version 2: a: no memory; gpu: no memory');
  });

  it('brings back what runtimes gave up, when none is loading it, and says why it does not come', async () => {
    const world = new World();
    world.route(5, 2);
    world.runtime('a', 'gave way');
    world.runtime('b', 'comes back');
    const first = world.wait();
    await settle();
    expect(world.woken).toEqual([]);
    const wake = Promise.withResolvers<undefined>();
    world.wakes = async () => wake.promise;
    world.runtime('b', 'failed');
    await settle();
    expect(world.woken).toEqual([key]);
    world.runtime('a', 'ready');
    wake.resolve(undefined);
    await settle();
    expect(first.outcome()).toBe('ready');
    world.runtime('a', 'gave way');
    world.wakes = () => Promise.reject(new SluiceError('resource-exhausted', 'a: no room'));
    const second = world.wait();
    await settle();
    expect(second.outcome()).toBe('a: no room');
    expect(world.woken).toEqual([key, key]);
  });

  it('waits while no runtime is up, and ends with its caller', async () => {
    const world = new World();
    const caller = new AbortController();
    const { outcome } = world.wait(caller.signal);
    world.route(5, 2);
    await settle();
    expect(outcome()).toBe('waits');
    caller.abort(new SluiceError('cancelled', 'gone'));
    await settle();
    expect(outcome()).toBe('gone');
    world.runtime('a', 'failed');
  });
});

describe('ModelControl', () => {
  const setUp = () => {
    const world = new World();
    world.route(99, 2);
    world.runtime('a', 'ready');
    const repository = new MemoryRepository();
    const control = new ModelControl(repository, world.readiness);
    const caller = new AbortController();
    const call = { actor: 'ann', deadlineMs: undefined, signal: caller.signal };
    const ask = (verb: 'load' | 'unload', parameters: Parameters<ModelControl['load']>[0]['parameters'] = {}) =>
      control[verb]({ model: 'digits', parameters }, call).then(
        () => 'done',
        (error: unknown) => `${(error as SluiceError).kind}: ${(error as SluiceError).message}`,
      );
    return { repository, control, ask, caller, call };
  };

  it('says what failed as Triton does, with the kind of the reason', async () => {
    const { repository, control, ask, call } = setUp();
    expect(await ask('load')).toBe('not-found: failed to load \'digits\', model: there is no model "digits"');
    expect(await ask('unload')).toContain("not-found: failed to unload 'digits', ");
    repository.add(2, { 'model.onnx': 'a' }, { pinned: true });
    expect(await ask('load')).toBe('done');
    expect(await ask('load', { 'file:..': {} })).toContain("invalid-argument: failed to load 'digits', parameter");
    await expect(control.load({ model: '', parameters: {} }, call)).rejects.toMatchObject({
      kind: 'invalid-argument',
      message: expect.stringContaining('model_name: expected the name') as string,
    });
  });

  it('takes unload_dependents, which changes nothing, and no other parameter', async () => {
    const { repository, ask } = setUp();
    repository.add(2, { 'model.onnx': 'a' }, { pinned: true });
    expect(await ask('unload', { unload_dependents: { parameterChoice: 'boolParam', boolParam: true } })).toBe('done');
    expect(await ask('unload', { unload_dependents: { parameterChoice: 'stringParam' } })).toContain(
      'expected bool_param',
    );
    expect(await ask('unload', { other: {} })).toContain('parameter "other" is not known');
  });

  it('does the loads and unloads of a model one after the other, and bounds how many there are', async () => {
    const { repository, control, ask, caller, call } = setUp();
    repository.add(2, { 'model.onnx': 'a' }, { pinned: true });
    const { promise, resolve } = Promise.withResolvers<number>();
    repository.pin = async () => {
      repository.log.push('pin begins');
      return promise;
    };
    const first = ask('load');
    const second = ask('unload');
    await settle();
    expect(repository.log).toEqual(['pin begins']);
    const waiting = Array.from({ length: 6 }, () => ask('load'));
    expect(await ask('load')).toContain('resource-exhausted: failed to load');
    caller.abort(new SluiceError('cancelled', 'gone'));
    resolve(1);
    await Promise.all([first, second, ...waiting]);
    // Those whose caller left before their turn have done nothing.
    expect(repository.log).toEqual(['pin begins']);
    const other = { ...call, signal: new AbortController().signal };
    await control.unload({ model: 'digits', parameters: {} }, other);
    expect(repository.log).toEqual(['pin begins', 'unpin 2']);
  });
});
