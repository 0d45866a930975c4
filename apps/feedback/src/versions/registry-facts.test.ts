import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { RegistryFacts } from './registry-facts.ts';
import type { RegistryVersion } from './registry-version.ts';
import { latestLabel } from './registry-version.ts';

const digest = 'a'.repeat(64);
const signature = { inputs: [], outputs: [], batched: true };

function world() {
  const asked: string[] = [];
  let away = false;
  const clock = new FakeClock();
  const facts = new RegistryFacts(
    {
      findVersion: async (model, number): Promise<RegistryVersion | undefined> => {
        asked.push(`${model} ${number}`);
        if (away) throw unavailable('away');
        return number === 3 ? { model, number, digest, signature, task: { kind: 'none' }, revision: 7 } : undefined;
      },
      findModel: async (name) => {
        asked.push(name);
        return { name, labels: latestLabel, captureRate: 0.5 };
      },
    },
    clock,
  );
  return { facts, asked, clock, leave: () => (away = true) };
}

describe('what is known of the registry', () => {
  it('are versions by number and digest, asked for once for all who want them', async () => {
    const { facts, asked } = world();
    const name = { model: 'team/digits', version: 3, versionDigest: digest };
    const [answer, has] = await Promise.all([facts.version(name), facts.has(name)]);
    expect(answer).toMatchObject({ state: 'known', value: { model: 'team/digits', number: 3, revision: 7 } });
    expect(has).toBe(true);
    expect(await facts.version({ ...name, versionDigest: 'b'.repeat(64) })).toEqual({ state: 'unknown' });
    expect(await facts.has({ ...name, versionDigest: 'not a digest' })).toBe(true);
    expect(await facts.has({ ...name, version: 4 })).toBe(false);
    expect(asked).toEqual(['team/digits 3', 'team/digits 4']);
  });

  it('are models by name', async () => {
    const { facts, asked } = world();
    expect(await facts.model('digits')).toMatchObject({ state: 'known', value: { captureRate: 0.5 } });
    await facts.model('digits');
    expect(asked).toEqual(['digits']);
  });

  it('is not that there is no version while it is away', async () => {
    const { facts, leave } = world();
    leave();
    const name = { model: 'digits', version: 3, versionDigest: digest };
    expect(await facts.version(name)).toMatchObject({ state: 'away', error: { kind: 'unavailable' } });
    await expect(facts.has(name)).rejects.toThrow('away');
  });
});
