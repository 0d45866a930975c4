import type { RegistryClient } from '@sluice/client/registry-client';
import type { Clock } from '@sluice/domain/clock';
import { expect, it } from 'vitest';
import { anyCall } from '../../test/memory-repository.ts';
import { wireRelease } from '../../test/routes.ts';
import { registryRepository } from './registry-repository.ts';

it('says as of which revision aliases and release name their versions', async () => {
  const alias = (name: string, version: string, revision: string) => ({
    alias: name,
    version,
    revision,
    pending: null,
  });
  const answer = {
    model: { name: 'm', aliases: [alias('champion', '2', '12'), alias('old', '0', '5')] },
    release: { ...wireRelease('m', 2), revision: '14' } as ReturnType<typeof wireRelease> | null,
  };
  // Only an admission is waited for by the clock.
  const unused = {} as Clock;
  const registry = { getModel: async () => answer };
  const repository = registryRepository({ registry } as unknown as RegistryClient, unused);
  expect(await repository.model('m', anyCall())).toMatchObject({
    revision: 14,
    aliases: [{ alias: 'champion', version: 2 }],
    release: { versions: [2] },
  });
  answer.release = null;
  expect((await repository.model('m', anyCall())).revision).toBe(12);
  answer.model.aliases = [];
  expect((await repository.model('m', anyCall())).revision).toBe(0);
});
