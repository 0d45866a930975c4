import type { RawOutcome } from '@sluice/rpc/raw-client';
import { RpcError } from '@sluice/rpc/status';
import type { Permit } from '@sluice/resilience/breaker';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { draws } from '../../test/routes.ts';
import { Fleet } from '../runtimes/fleet.ts';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import { Forwarder } from './forward.ts';
import { RouterRetryBudget } from './retry-tokens.ts';
import { targetOf } from './table.ts';

const permit: Permit = { succeed() {}, fail() {}, unanswered() {}, release() {} };

function outcomeOf(address: string): RawOutcome {
  const rest = { trailer: () => undefined };
  if (address.startsWith('cpu')) {
    return { ...rest, error: undefined, message: Buffer.from('loaded'), messageArrived: true };
  }
  const error = new RpcError('not-found', `nothing of that pool on ${address}`, { origin: 'answered', code: 5 });
  return { ...rest, error, message: undefined, messageArrived: false };
}

/** Runtimes that are up and have nothing; of a pool that the versions are not for unless they are called cpu. */
function mixedFleet(...addresses: readonly string[]) {
  const asked: string[] = [];
  const fleet = new Fleet({
    clock: new FakeClock(),
    connect: (address) => {
      const send = (...[, , , done]: Parameters<RuntimeLink['send']>) => {
        asked.push(address);
        queueMicrotask(() => done(outcomeOf(address)));
        return { cancel: () => undefined };
      };
      const nothing = { ready: new Set(), notReady: new Map(), onDemand: new Set() };
      const link = { address, state: 'up', session: 1, inFlight: 0, loadsOnDemand: true, ...nothing, send };
      return link as unknown as RuntimeLink;
    },
  });
  fleet.setAddresses(addresses);
  const budget = new RouterRetryBudget();
  const forwarder = new Forwarder({
    random: draws(0),
    readyFor: (key) => fleet.readyFor(key),
    onDemandFor: (version) => fleet.onDemandFor(version),
    whyNotLoaded: (key) => fleet.whyNotLoaded(key),
    onCannotLoad: (link, key, error) => fleet.cannotLoad(link, key, error.message),
    breakerOf: () => ({ begin: () => permit }) as never,
    budget,
    onFailedAttempt: () => undefined,
  });
  const ask = (version: number): Promise<string> =>
    new Promise((resolve) => {
      forwarder.send(targetOf('m', version), undefined, {
        ...{ message: Buffer.alloc(1), deadlineMs: 1_000, metadata: undefined, instead: undefined },
        ...{ sending: () => undefined, retrying: () => undefined, fallingBack: () => undefined },
        done: (error, answer) => resolve(error?.message ?? answer!.toString()),
      });
    });
  return { ask, asked, budget };
}

describe('versions that are ready nowhere, among runtimes of several pools', () => {
  it('are loaded by the runtime that can, whatever their order is, and the others are asked once', async () => {
    const { ask, asked, budget } = mixedFleet('gpu-1:1', 'gpu-2:1', 'gpu-3:1', 'gpu-4:1', 'cpu-1:1');
    const before = budget.tokens;
    for (let version = 1; version <= 200; version++) expect(await ask(version), `version ${version}`).toBe('loaded');
    const first = asked.splice(0).length;
    expect(first).toBeGreaterThan(400);
    for (let version = 1; version <= 200; version++) expect(await ask(version)).toBe('loaded');
    expect(new Set(asked)).toEqual(new Set(['cpu-1:1']));
    expect(budget.tokens).toBe(before);
  });

  it('are refused with the reason where none can', async () => {
    const { ask, asked } = mixedFleet('gpu-1:1', 'gpu-2:1');
    const text = /^no runtime can load m version 7: nothing of that pool on gpu-[12]:1$/;
    expect(await ask(7)).toMatch(text);
    expect(await ask(7)).toMatch(text);
    expect(asked).toHaveLength(2);
  });
});
