import { runtimeService } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import type { RawCallOptions, RawOutcome } from '@sluice/rpc/raw-client';
import { RpcError, statusCodes } from '@sluice/rpc/status';
import { describe, expect, it } from 'vitest';
import { loadVersion } from './load-version.ts';

const version = { model: 'digits', text: '2' };
const method = Object.values(runtimeService.definition).find((each) => each.originalName === 'loadVersion')!;

function setUp(kind?: 'unimplemented' | 'resource-exhausted' | 'cancelled') {
  const asked: unknown[] = [];
  const origin = { origin: 'answered', code: statusCodes.UNKNOWN } as const;
  const error = kind && new RpcError(kind, 'digits version 2 is not loaded: no room', origin);
  const link = (id: string) => ({
    ...{ runtimeId: id, address: `${id}:1` },
    ask: async (path: string, message: Uint8Array, options: RawCallOptions) => {
      asked.push([id, path, method.requestDeserialize(Buffer.from(message)), options.deadlineMs]);
      return { error, message: undefined, messageArrived: !error, trailer: () => undefined } as RawOutcome;
    },
  });
  const caller = new AbortController();
  const call = { nowMs: 1_000, signal: caller.signal };
  const load = () =>
    loadVersion([link('a'), link('b')], version, call).then(
      () => 'loaded',
      (thrown: unknown) => `${SluiceError.from(thrown).kind}: ${SluiceError.from(thrown).message}`,
    );
  return { asked, caller, call, load };
}

describe('loadVersion', () => {
  it('asks the first runtime, for as long as a load may take', async () => {
    const { asked, load } = setUp();
    expect(await load()).toBe('loaded');
    const path = '/sluice.runtime.v1.RuntimeService/LoadVersion';
    expect(asked).toEqual([['a', path, { model: 'digits', version: '2' }, 601_000]]);
  });

  it('fails with what the runtime says, and of one that is too old says what helps', async () => {
    expect(await setUp('resource-exhausted').load()).toBe(
      'resource-exhausted: a: digits version 2 is not loaded: no room',
    );
    expect(await setUp('unimplemented').load()).toMatch(
      /^failed-precondition: a unloaded version 2 .* inference loads it/,
    );
    await expect(loadVersion([], version, setUp().call)).rejects.toMatchObject({ kind: 'unavailable' });
  });

  it('ends with the reason of its caller', async () => {
    const { caller, load } = setUp('cancelled');
    caller.abort(new SluiceError('deadline-exceeded', 'too late'));
    expect(await load()).toBe('deadline-exceeded: too late');
  });
});
