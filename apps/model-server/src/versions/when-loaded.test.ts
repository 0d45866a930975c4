import { SluiceError, unavailable } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../serving/engine.ts';
import type { TableVersion } from './serving-table.ts';
import type { WaitingRequest } from './waiting-requests.ts';
import { LoadWaits } from './when-loaded.ts';

const engine = {} as Engine;

function setUp() {
  let found: TableVersion | undefined;
  const waiting = new Map<WaitingRequest, string>();
  const waits = new LoadWaits({
    table: { find: () => found },
    onDemand: {
      wait(model, ref, request) {
        waiting.set(request, `${model}/${ref}`);
        return () => waiting.delete(request);
      },
    },
  });
  const caller = new AbortController();
  const load = () => {
    let outcome = 'waits';
    const ended = waits.whenLoaded('adder', 3, caller.signal).then(
      () => (outcome = 'loaded'),
      (error: unknown) => (outcome = SluiceError.from(error).message),
    );
    return { ended, outcome: () => outcome };
  };
  return { waiting, caller, load, ready: () => (found = { engine } as TableVersion) };
}

describe('a load without an inference', () => {
  it('waits as a request does, and ends as one', async () => {
    const { waiting, load } = setUp();
    const [one, other] = [load(), load()];
    expect([...waiting.values()]).toEqual(['adder/3', 'adder/3']);
    const [first, second] = [...waiting.keys()];
    first!.start(engine);
    second!.fail(unavailable('no room'));
    await Promise.all([one.ended, other.ended]);
    expect([one.outcome(), other.outcome()]).toEqual(['loaded', 'no room']);
  });

  it('waits for nothing that is ready', async () => {
    const { waiting, load, ready } = setUp();
    ready();
    const { ended, outcome } = load();
    await ended;
    expect([outcome(), waiting.size]).toEqual(['loaded', 0]);
  });

  it('leaves with its caller, and lets only so many wait', async () => {
    const { waiting, caller, load } = setUp();
    const all = Array.from({ length: 256 }, load);
    const more = load();
    await more.ended;
    expect(more.outcome()).toBe('256 loads are waited for; try again when some have ended');
    expect(waiting.size).toBe(256);
    caller.abort(new SluiceError('cancelled', 'gone'));
    await Promise.all(all.map(({ ended }) => ended));
    expect(new Set(all.map(({ outcome }) => outcome()))).toEqual(new Set(['gone']));
    expect(waiting.size).toBe(0);
  });
});
