import { createBreaker } from '@sluice/resilience/breaker';
import { describe, expect, it } from 'vitest';
import { settle } from '../../test/doubles.ts';
import { fleetWorld, status } from '../../test/fleet-world.ts';
import { Breakers } from './breakers.ts';

describe('Breakers', () => {
  async function withBreakers() {
    const world = fleetWorld();
    const { clock, fleet, streams } = world;
    const made: string[] = [];
    const breakers = new Breakers({
      create: (address, key) => {
        made.push(`${address} ${key}`);
        return createBreaker({ name: key, clock, minRequests: 1, isFailure: () => true });
      },
    });
    const shown = () =>
      [...breakers.all()].map(({ runtime, model, version, state }) => `${runtime} ${model} ${version} ${state}`);
    fleet.onChange(() => breakers.retain(fleet.links));
    fleet.setAddresses(['a:1']);
    await settle();
    const fed = streams.get('a:1')!;
    const has = async (...versions: number[]): Promise<void> => {
      fed.send(status(versions.map((version) => ['digits', version, true])));
      await settle();
    };
    await has(1, 2);
    const restart = async (): Promise<void> => {
      fed.fail();
      await settle();
      clock.advance(100);
      await settle();
      await has(1, 2);
    };
    return { ...world, breakers, made, shown, has, restart, link: fleet.links[0]! };
  }

  it('keeps one per runtime and version, and starts anew with a new session', async () => {
    const { breakers, made, restart, link } = await withBreakers();
    expect(breakers.of(link, 'digits@1')).toBe(breakers.of(link, 'digits@1'));
    breakers.of(link, 'digits@2');
    expect(made).toEqual(['a:1 digits@1', 'a:1 digits@2']);
    expect(breakers.states(link)).toEqual({ 'digits@1': 'closed', 'digits@2': 'closed' });
    await restart();
    breakers.of(link, 'digits@1');
    expect(made).toHaveLength(3);
  });

  it('tells what is: a runtime that came back has no open breaker, whatever still ends on the old one', async () => {
    const { breakers, clock, shown, restart, link } = await withBreakers();
    const [first, late] = [breakers.of(link, 'digits@1').begin()!, breakers.of(link, 'digits@1').begin()!];
    expect(shown()).toEqual(['a:1 digits 1 closed']);
    first.fail(new Error('broken'));
    await settle();
    expect(shown()).toEqual(['a:1 digits 1 open']);
    // It need not be asked for leave to show that its time is over.
    clock.advance(1_000);
    expect(shown()).toEqual(['a:1 digits 1 half-open']);
    await restart();
    expect(shown()).toEqual([]);
    breakers.of(link, 'digits@1');
    late.fail(new Error('broken'));
    await settle();
    expect(shown()).toEqual(['a:1 digits 1 closed']);
  });

  it('forgets versions that were unloaded and runtimes that are gone', async () => {
    const { breakers, fleet, streams, shown, has, link } = await withBreakers();
    for (const key of ['digits@1', 'digits@2']) breakers.of(link, key);
    await has(2);
    expect(shown()).toEqual(['a:1 digits 2 closed']);
    fleet.setAddresses([]);
    streams.get('a:1')!.fail();
    await settle();
    expect(shown()).toEqual([]);
    expect(breakers.states(link)).toEqual({});
  });
});
