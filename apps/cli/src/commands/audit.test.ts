import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { explain } from '../explain.ts';
import { verifyAudit } from './audit.ts';

/** A registry that answers a check with this verdict. */
function registryOf(verdict: Record<string, unknown> | undefined, json = false) {
  const out: string[] = [];
  const context = {
    json,
    signal: new AbortController().signal,
    terminal: { out: (text: string) => out.push(text), note: () => undefined, bars: undefined, input: undefined },
    services: {
      audit: {
        async *verifyAudit() {
          yield { checked: '1', total: '3', verdict: null };
          if (verdict) yield { checked: '3', total: '3', verdict };
        },
      },
    },
  } as unknown as CliContext;
  const ended = () =>
    verifyAudit(context).then(
      () => undefined,
      (error: unknown) => explain(error, { registry: [], router: [], feedback: [] }),
    );
  return { out, ended };
}

const problems = ['entry 1 has another hash than its text', 'checkpoint 3 has another root'];
const broken = { ok: false, treeSize: '3', checkpointsChecked: '1', rootHash: Buffer.alloc(32), problems };

describe('sluice audit verify', () => {
  it('names every problem, ends with 1 and says what to do', async () => {
    const { out, ended } = registryOf(broken);
    expect(await ended()).toEqual({
      code: 1,
      message: '2 problems in the audit log',
      hint: 'Entries were changed outside the registry. Keep the database as it is and compare it with a backup.',
    });
    expect(out).toEqual([`the audit log does NOT verify:\n  ${problems[0]!}\n  ${problems[1]!}`]);
  });

  it('gives the verdict as JSON, and ends with 1 all the same', async () => {
    const { out, ended } = registryOf(broken, true);
    expect(await ended()).toMatchObject({ code: 1 });
    expect(JSON.parse(out.join('\n'))).toMatchObject({ ok: false, problems });
  });

  it('does not take silence for a verdict', async () => {
    const { out, ended } = registryOf(undefined);
    expect(await ended()).toMatchObject({ code: 1, message: 'the registry ended the check without a verdict' });
    expect(out).toEqual([]);
  });
});
