import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { liftQuarantine } from './quarantine.ts';

/** A registry whose version stays quarantined in some pools. */
function setUp(json: boolean, ...left: readonly string[]) {
  const asked: unknown[] = [];
  const out: string[] = [];
  const quarantines = left.map((pool) => ({ model: 'm', version: '2', pool, reason: 'it ended its runtime 3 times' }));
  const registry = {
    liftQuarantine: async (request: unknown) => {
      asked.push(request);
      return { revision: '5' };
    },
    getVersion: async () => ({ version: { number: '2', quarantines } }),
  };
  const context = {
    json,
    signal: new AbortController().signal,
    terminal: { out: (text: string) => out.push(text), note: () => undefined, bars: undefined, input: undefined },
    services: { registry },
  } as unknown as CliContext;
  return { context, asked, out };
}

describe('quarantine lift', () => {
  it('says that a version may be loaded when nothing keeps it from being', async () => {
    const { context, asked, out } = setUp(false);
    await liftQuarantine(context, 'm', '2', { pool: '', expectedRevision: '4' });
    expect(asked).toEqual([{ model: 'm', version: '2', pool: '', expectedRevision: '4' }]);
    expect(out).toEqual(['m version 2 may be loaded again']);
  });

  it.each([true, false])('fails when it is quarantined still, and says by what (--json: %s)', async (json) => {
    const { context, out } = setUp(json, 'gpu', 'default');
    await expect(liftQuarantine(context, 'm', '2', { pool: 'typo' })).rejects.toMatchObject({
      code: exitCodes.refused,
      message:
        'm version 2 is still quarantined, by what it did in pool gpu (it ended its runtime 3 times) and pool default (it ended its runtime 3 times)',
      hint: 'Without --pool all of its quarantines end.',
    });
    expect(out).toHaveLength(json ? 1 : 0);
    if (json)
      expect(JSON.parse(out[0]!)).toMatchObject({ revision: '5', quarantines: [{ pool: 'gpu' }, { pool: 'default' }] });
  });
});
