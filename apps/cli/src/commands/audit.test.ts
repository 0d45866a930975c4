import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { explain } from '../explain.ts';
import { showAudit, verifyAudit } from './audit.ts';

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
      (error: unknown) => explain(error, { registry: [], router: [] }),
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

describe('sluice audit show', () => {
  it('shows what other services put into the log beside what the registry did', async () => {
    const entry = (leafIndex: string, actor: string, action: string, object: string) => ({
      ...{ leafIndex, actor, action, object, actorKind: 'unauthenticated', leafHash: Buffer.from('ab', 'hex') },
      effectiveAt: { seconds: '1790000000', nanos: 0 },
      canonicalJson: `{"action":"${action}"}`,
    });
    const entries = [
      entry('8', 'bob', 'feedback.read_payloads', 'model/digits'),
      entry('7', 'ann', 'model.updated', 'model/digits'),
    ];
    const out: string[] = [];
    const context = {
      json: false,
      signal: new AbortController().signal,
      terminal: { out: (text: string) => out.push(text) },
      services: { audit: { listAuditEntries: async () => ({ entries }) } },
    } as unknown as CliContext;
    await showAudit(context, { object: 'model/digits', limit: 2, full: false });
    expect(out[0]!.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['INDEX', 'TIME', 'BY', 'ACTION', 'OBJECT'],
      ['7', '2026-09-21 14:13:20Z', 'ann', 'model.updated', 'model/digits'],
      ['8', '2026-09-21 14:13:20Z', 'bob', 'feedback.read_payloads', 'model/digits'],
    ]);
    await showAudit(context, { object: 'model/digits', limit: 1, full: true });
    expect(out[1]).toMatch(/bob \(unauthenticated\) {2}feedback\.read_payloads .*\n {2}ab\n {2}\{"action":"feedback/);
  });
});
