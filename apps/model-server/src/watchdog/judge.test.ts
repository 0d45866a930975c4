import { describe, expect, it } from 'vitest';
import type { LastLife, Ran } from './crash-file.ts';
import { judge } from './judge.ts';

const of = (model: string, doing: Ran['doing'] = 'running', digest = 'd'): Ran => ({
  model,
  version: 1,
  digest,
  doing,
});
const life = (more: Partial<LastLife>): LastLife => ({
  epoch: 'e1',
  innocent: false,
  ran: [],
  hung: undefined,
  ...more,
});
const named = (model: string) => ({ model, version: 1, digest: 'd' });

describe('the end of a life', () => {
  it('is nobody’s where nothing was in native code, nothing is known, or it had been told to stop', () => {
    const nobody = { strike: undefined, suspicion: undefined };
    expect(judge(undefined, '', 5)).toEqual(nobody);
    expect(judge(life({}), '', 5)).toEqual(nobody);
    expect(judge(life({ innocent: true, ran: [of('a')] }), '', 5)).toEqual(nobody);
  });

  it('is a strike of the version that alone was in native code, in however many threads', () => {
    const strike = { ...named('a'), id: 'e1', kind: 'crashed', atMs: 5 };
    expect(judge(life({ ran: [of('a'), of('a')] }), '', 5)).toEqual({ strike, suspicion: undefined });
    const loading = { ...strike, kind: 'crashed-loading' };
    expect(judge(life({ ran: [of('a'), of('a', 'loading')] }), '', 5)).toEqual({
      strike: loading,
      suspicion: undefined,
    });
  });

  it('is a suspicion of each where several were, also of two digests under one number', () => {
    expect(judge(life({ ran: [of('a'), of('b', 'loading'), of('a')] }), '', 5)).toEqual({
      strike: undefined,
      suspicion: { id: 'e1', versions: [named('a'), named('b')], atMs: 5 },
    });
    expect(judge(life({ ran: [of('a'), of('a', 'running', 'other')] }), '', 5).suspicion?.versions).toHaveLength(2);
  });

  it('is nobody’s where somebody from outside ended it, unless the watchdog had', () => {
    const killed = (more: Partial<LastLife>) => judge(life(more), 'signal SIGKILL', 5);
    expect(killed({ ran: [of('a')] }).strike).toBeUndefined();
    expect(killed({ ran: [of('a'), of('b')] }).suspicion).toBeUndefined();
    expect(killed({ ran: [of('a')], hung: of('a') }).strike?.kind).toBe('hung');
    expect(judge(life({ ran: [of('a')] }), 'signal SIGSEGV', 5).strike?.kind).toBe('crashed');
    expect(judge(life({ ran: [of('a')] }), 'status 134', 5).strike?.kind).toBe('crashed');
  });

  it('is that of the version that the watchdog named, whatever else ran', () => {
    const { strike, suspicion } = judge(life({ ran: [of('a'), of('b')], hung: of('b') }), '', 5);
    expect([strike, suspicion]).toEqual([{ ...named('b'), id: 'e1', kind: 'hung', atMs: 5 }, undefined]);
    expect(judge(life({ innocent: true, hung: of('b') }), '', 5).strike?.kind).toBe('hung');
    expect(judge(life({ hung: of('b', 'loading') }), '', 5).strike?.kind).toBe('hung-loading');
  });
});
