import { describe, expect, it } from 'vitest';
import { draws } from '../../test/routes.ts';
import { chooseRuntime } from './choose-runtime.ts';

const load = (name: string, inFlight: number) => ({ name, inFlight });

describe('chooseRuntime', () => {
  it('takes the only one, or none', () => {
    expect(chooseRuntime<ReturnType<typeof load>>([], draws(0))).toBe(undefined);
    expect(chooseRuntime([load('a', 9)], draws(0))?.name).toBe('a');
  });

  it('takes the less loaded of two, whichever was drawn first', () => {
    const two = [load('a', 5), load('b', 4)];
    for (const point of [0, 0.49, 0.5, 0.99]) expect(chooseRuntime(two, draws(point))?.name).toBe('b');
  });

  it('draws two different ones from all of them', () => {
    const many = [load('a', 0), load('b', 0), load('c', 0), load('d', 0)];
    const seen = new Set<string>();
    let step = 0;
    const random = { uniform: () => (step++ * 0.37) % 1, bytes: () => new Uint8Array(0) };
    for (let index = 0; index < 200; index++) seen.add(chooseRuntime(many, random)!.name);
    expect([...seen].sort()).toEqual(['a', 'b', 'c', 'd']);
    // Of a pair the loaded one never wins, so with three idle ones it gets nothing.
    const loaded = [load('x', 9), load('b', 0), load('c', 0)];
    for (let index = 0; index < 200; index++) expect(chooseRuntime(loaded, random)!.name).not.toBe('x');
  });
});
