import { describe, expect, it } from 'vitest';
import { SluiceError } from '@sluice/domain/errors';
// eslint-disable-next-line no-restricted-imports -- this is a test
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Admission, InspectedVersion } from '../admission/admission.ts';
import { AdmissionJobs } from './admission-jobs.ts';
import type { VersionRecord } from './records.ts';
import type { AdmissionEnd, RegistryState, StateChange } from './state.ts';

const version = { model: 'm', number: 1, state: 'admitting', digest: 'd', serving: {} } as unknown as VersionRecord;
const passed = { passed: true, rejection: '', serving: version.serving, report: undefined };
const full = () => new SluiceError('resource-exhausted', 'the artifact store is full: ENOSPC');

/** Jobs whose admission and store fail in the ways that are told; what is stored is kept. */
function setUp(failing: { admit?: () => Error | undefined; store?: () => Error | undefined }) {
  const clock = new FakeClock();
  const ends: AdmissionEnd[] = [];
  const errors: string[] = [];
  let [admissions, sweeps] = [0, 0];
  const admission = {
    admit: async () => {
      admissions += 1;
      const error = failing.admit?.();
      if (error) throw error;
      return passed;
    },
    sweep: async () => void (sweeps += 1),
    close: async () => undefined,
  } as unknown as Admission;
  const change: Partial<StateChange> = {
    revision: 7,
    version: async () => version,
    settle: async () => undefined,
    endAdmission: async (_model, _number, end) => {
      const error = failing.store?.();
      if (error) throw error;
      ends.push(end);
    },
  };
  const state: RegistryState = {
    read: () => Promise.reject(new Error('nothing is to be read')),
    change: async (_, fn) => (await fn(change as StateChange)).result,
  };
  const none = async () => undefined;
  const runs = { renew: none, takeStale: async () => [], release: none };
  const jobs = new AdmissionJobs({ state, admission, runs, clock, onError: (_, what) => errors.push(what) });
  const inspected = { derived: [] } as unknown as InspectedVersion;
  const run = async (): Promise<VersionRecord> => {
    const lines: string[] = [];
    const following = jobs.start(version, inspected).follow();
    let ended: VersionRecord | undefined;
    void (async () => {
      for (;;) {
        const step = await following.next();
        if (step.done) return (ended = step.value);
        lines.push(step.value);
      }
    })();
    for (let turn = 0; turn < 600 && !ended; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(1_000);
    }
    return ended!;
  };
  return { jobs, clock, run, ends, errors, admissions: () => admissions, sweeps: () => sweeps };
}

describe('an admission that the machine fails', () => {
  it('is tried again until it can run', async () => {
    let failures = 3;
    const { run, errors, admissions } = setUp({ admit: () => (failures-- > 0 ? full() : undefined) });
    expect(await run()).toMatchObject({ state: 'ready', rejection: '' });
    expect([admissions(), errors.length]).toEqual([4, 3]);
  });

  it('is rejected in the end with what was really wrong', async () => {
    const { run, ends, admissions } = setUp({ admit: full });
    expect(await run()).toMatchObject({
      state: 'rejected',
      rejection: 'admission could not run in 6 attempts: the artifact store is full: ENOSPC',
    });
    expect([admissions(), ends.length]).toEqual([6, 1]);
  });

  it('is rejected at once for what is wrong with its files', async () => {
    const { run, admissions } = setUp({ admit: () => new SluiceError('data-loss', 'artifact x is damaged') });
    expect(await run()).toMatchObject({ state: 'rejected', rejection: 'artifact x is damaged' });
    expect(admissions()).toBe(1);
  });

  it('is rejected with the reason when what it found cannot be stored, and waits for a database that is away', async () => {
    let away = 20;
    let defects = 6;
    const store = () => {
      if (away-- > 0) return new SluiceError('unavailable', 'Postgres is away');
      return defects-- > 0 ? new SluiceError('internal', 'no such column') : undefined;
    };
    const { run, admissions } = setUp({ store });
    expect(await run()).toMatchObject({
      state: 'rejected',
      rejection: 'what admission found could not be stored: no such column',
    });
    expect(admissions()).toBe(1);
  });
});

describe('what a killed registry left of admissions', () => {
  it('is looked for at once and then every ten minutes', async () => {
    const { jobs, clock, sweeps } = setUp({});
    await jobs.takeOver();
    await jobs.takeOver();
    expect(sweeps()).toBe(1);
    clock.advance(600_000);
    await jobs.takeOver();
    expect(sweeps()).toBe(2);
  });
});
