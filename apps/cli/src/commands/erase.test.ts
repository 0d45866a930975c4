import type { Erasure__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Erasure';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { eraseSubject, forgetSpool, listErasures, listSpools, showErasure } from './erase.ts';

const at = { seconds: '1766412185', nanos: 0 };
const spool = { spoolId: 's-1', routerId: 'router-1', firstSeenAt: at, lastSeenAt: at, acknowledged: '7' };
const spools = [{ ...spool, erasuresApplied: '2', forgottenAt: null }];

const erasure = (own: object = {}): Erasure__Output =>
  ({
    ...{
      erasureId: 'e-1',
      number: '3',
      state: 'ERASURE_STATE_PENDING',
      subjectHash: 'ab'.repeat(32),
      reason: 'a letter',
    },
    ...{ actor: 'ann', requestId: 'r', orderedAt: at, doneAt: null, keysDestroyed: 1, exports: [] },
    pending: { spools, spoolCount: '1', unreadableDeadLetters: '2', waitingFeedback: '1', document: true },
    ...own,
  }) as unknown as Erasure__Output;

const done = erasure({ state: 'ERASURE_STATE_DONE', doneAt: at, pending: { spools: [], spoolCount: '0' } });

/** Feedback whose order is as it says, look by look. */
function setUp(looks: readonly Erasure__Output[], json = false) {
  const asked: unknown[] = [];
  const [out, notes]: [string[], string[]] = [[], []];
  const clock = new FakeClock(0);
  let look = 0;
  const privacy = {
    eraseSubject: async (request: unknown) => {
      asked.push(request);
      return { erasure: looks[0] };
    },
    getErasure: async () => ({ erasure: looks[Math.min((look += 1), looks.length - 1)] }),
    listErasures: async (request: { pageToken: string }) => {
      asked.push(request);
      return { erasures: [erasure()], nextPageToken: request.pageToken === '' ? 'a' : '' };
    },
    listSpools: async () => ({ spools, nextPageToken: '' }),
    forgetSpool: async (request: unknown) => {
      asked.push(request);
      return { spool };
    },
  };
  const context = {
    ...{ json, clock, signal: new AbortController().signal, services: { privacy } },
    terminal: { out: (text: string) => out.push(text), note: (text: string) => notes.push(text) },
  } as unknown as CliContext;
  return { context, asked, out, notes, clock };
}

const flags = { reason: 'a letter', requestId: 'r', destroyUnreadable: false, wait: true, timeout: 10 };

/** Runs a command, and lets time go on until it has ended. */
async function running(clock: FakeClock, command: Promise<void>): Promise<void> {
  const state = { isOver: false };
  const ended = command.finally(() => (state.isOver = true));
  ended.catch(() => undefined);
  for (let turn = 0; turn < 100 && !state.isOver; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
  return ended;
}

describe('erase', () => {
  it('waits until the order is done, and says once what it waits for', async () => {
    const { context, asked, out, notes, clock } = setUp([erasure(), erasure(), erasure({ pending: null }), done]);
    await running(clock, eraseSubject(context, 'ann', flags));
    expect(asked).toEqual([{ subject: 'ann', reason: 'a letter', requestId: 'r', destroyUnreadable: false }]);
    expect(notes).toEqual([
      'order e-1: 1 key destroyed',
      'waiting for the spool of router-1 (s-1, last heard of 2025-12-22 14:03:05Z); 2 dead letters that nobody can read; 1 text of feedback whose prediction is not there yet; the artifact store',
      'waiting for the order to be noted as done',
    ]);
    expect(out).toHaveLength(1);
    expect(out[0]).toMatch(/state +done/);
    expect(out[0]).not.toContain('pending');
  });

  it('says so where nothing was kept of the subject, which may be misspelt', async () => {
    const { context, notes, clock } = setUp([{ ...done, keysDestroyed: 0 }]);
    await running(clock, eraseSubject(context, 'Ann', flags));
    expect(notes).toEqual(['order e-1: 0 keys destroyed', expect.stringMatching(/nothing was kept of this subject/)]);
  });

  it.each([
    ['told not to wait', { wait: false }],
    ['it takes too long', { timeout: 3 }],
  ])('fails as incomplete when %s, after it has shown the order', async (_, own) => {
    const { context, out, clock } = setUp([erasure()], true);
    await expect(running(clock, eraseSubject(context, 'ann', { ...flags, ...own }))).rejects.toMatchObject({
      code: exitCodes.incomplete,
      message: expect.stringContaining('still pending: the spool of router-1') as string,
    });
    expect(JSON.parse(out[0]!)).toMatchObject({ erasureId: 'e-1', state: 'ERASURE_STATE_PENDING' });
  });

  it('shows orders, exports that nobody can take back, and spools', async () => {
    const exports = [{ dataSet: 'digits-labelled', version: '4', digest: 'cd', exportedAt: at }];
    const { context, asked, out } = setUp([done, erasure({ exports })]);
    await showErasure(context, 'e-1');
    expect(out[0]).toContain('digits-labelled  4        2025-12-22 14:03:05Z');
    await listErasures(context, { pending: true, limit: 2 });
    expect(asked).toEqual([
      { pageSize: 2, pageToken: '', state: 'ERASURE_STATE_PENDING' },
      { pageSize: 1, pageToken: 'a', state: 'ERASURE_STATE_PENDING' },
    ]);
    expect(out[1]!.split('\n')).toHaveLength(3);
    await listSpools(context, { limit: 10 });
    expect(out[2]).toMatch(/s-1 +router-1 +2025-12-22 14:03:05Z +2/);
    await forgetSpool(context, 's-1', 'its disk is gone');
    expect(asked.at(-1)).toEqual({ spoolId: 's-1', reason: 'its disk is gone' });
    expect(out[3]).toBe('nothing waits any more for spool s-1 of router router-1');
  });
});
