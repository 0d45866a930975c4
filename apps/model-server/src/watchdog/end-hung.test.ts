import { describe, expect, it } from 'vitest';
import type { SluiceError } from '@sluice/domain/errors';
import { createLogger } from '@sluice/service-kit/logger';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { endHung } from './end-hung.ts';

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

function setUp() {
  const clock = new FakeClock();
  const did: string[] = [];
  const answers: SluiceError[] = [];
  const drained = Promise.withResolvers<undefined>();
  let signal: AbortSignal | undefined;
  const logger = createLogger({
    service: 'model-server',
    instance: 'test',
    stream: { write: (line: string) => void did.push(`log: ${(JSON.parse(line) as { msg: string }).msg}`) },
  });
  const ports = {
    ...{ clock, logger, drainMs: 5_000 },
    crash: {
      blame: (version: number, doing: string) => void did.push(`blame ${version} ${doing}`),
      versionOf: (number: number) => (number === 7 ? { model: 'm', version: 2, digest: 'd' } : undefined),
    },
    versions: {
      hang: ({ model, version }: { model: string; version: number }, error: SluiceError) => {
        did.push(`hang ${model}/${version}`);
        answers.push(error);
      },
    },
    drain: async (given: AbortSignal) => {
      did.push('drain');
      signal = given;
      await drained.promise;
    },
    endProcess: () => void did.push('end'),
  };
  const thread = {
    doing: () => undefined,
    giveUp: (version: number, error: SluiceError) => {
      did.push(`give up ${version}`);
      answers.push(error);
    },
  };
  const hang = { thread, version: 7, doing: 'running', ms: 1_000 } as const;
  return { clock, did, answers, drained, ports, hang, signal: () => signal };
}

describe('a native call that does not end', () => {
  it('leaves its word, costs its callers an INTERNAL, lets others finish, and then the process ends', async () => {
    const { did, answers, drained, ports, hang } = setUp();
    const over = endHung(ports, hang);
    await turns();
    expect(did).toEqual([
      'blame 7 running',
      'log: a native call does not end: this process will be ended for it',
      'hang m/2',
      'give up 7',
      'drain',
    ]);
    expect(answers).toHaveLength(2);
    for (const { kind, message, neverAgain } of answers) {
      expect(neverAgain).toBe(true);
      expect(`${kind}: ${message}`).toBe(
        'internal: m version 2: the model did not end a run within 1000 ms; its runtime is being restarted',
      );
    }
    drained.resolve(undefined);
    await over;
    expect(did.slice(5)).toEqual(['log: the process ends itself', 'end']);
  });

  it('waits no longer than it may, and what is left gets a moment to be told', async () => {
    const { clock, did, ports, hang, signal } = setUp();
    const over = endHung(ports, { ...hang, doing: 'loading' });
    await turns();
    clock.advance(4_999);
    await turns();
    expect([signal()?.aborted, did.includes('end')]).toEqual([false, false]);
    clock.advance(1);
    await turns();
    expect([signal()?.aborted, did.includes('end')]).toEqual([true, false]);
    clock.advance(100);
    await over;
    expect(did.at(-1)).toBe('end');
  });

  it('ends the process although draining fails, and although nobody knows the version', async () => {
    const { did, answers, drained, ports, hang } = setUp();
    const over = endHung(ports, { ...hang, version: 9 });
    drained.reject(new Error('no'));
    await over;
    expect(did).toContain('log: draining before the end failed');
    expect(did.at(-1)).toBe('end');
    expect(did).not.toContain('hang m/2');
    expect(answers).toHaveLength(1);
  });
});
