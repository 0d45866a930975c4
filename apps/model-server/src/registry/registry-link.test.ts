import { expect, it } from 'vitest';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { StatusBoard } from '../versions/status-board.ts';
import type { VersionSet } from '../versions/version-set.ts';
import { RegistryLink, type RegistryLinkPorts } from './registry-link.ts';

function setUp() {
  const versions = { settled: false, revision: 1, memoryBytes: 0, versions: () => [] };
  let ready = 0;
  const link = new RegistryLink({
    ...{ clock: new FakeClock(), board: new StatusBoard(), ttlMs: 1_000, logger: { warn: () => undefined } },
    versions: versions as unknown as VersionSet,
    registry: { renewLease: () => new Promise(() => undefined), releaseLease: () => Promise.resolve() },
    registryUp: () => undefined,
    becameReady: () => (ready += 1),
  } as unknown as RegistryLinkPorts);
  return { link, versions, ready: () => ready };
}

it('becomes ready once, when the first placement is settled', () => {
  const { link, versions, ready } = setUp();
  link.versionsChanged();
  expect([link.ready, ready()]).toEqual([false, 0]);
  versions.settled = true;
  link.versionsChanged();
  link.versionsChanged();
  expect([link.ready, ready()]).toEqual([true, 1]);
});

it('does not become ready any more when it is leaving: health said so already', async () => {
  const { link, versions, ready } = setUp();
  await link.drain();
  versions.settled = true;
  link.versionsChanged();
  expect([link.ready, ready()]).toEqual([false, 0]);
});
