import { describe, expect, it } from 'vitest';
import { unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { VersionName } from './known-versions.ts';
import { KnownVersions } from './known-versions.ts';

const name = (version: number): VersionName => ({ model: 'digits', version, versionDigest: 'd' });

function world() {
  const clock = new FakeClock();
  const asked: number[] = [];
  const away: boolean[] = [];
  let answer: (version: VersionName) => Promise<boolean> = ({ version }) => Promise.resolve(version < 5);
  const versions = new KnownVersions({
    directory: {
      has: (version) => {
        asked.push(version.version);
        return answer(version);
      },
    },
    clock,
    waitMs: 300,
    onAway: (error) => away.push(error !== undefined),
  });
  return { clock, asked, away, versions, answerBy: (next: typeof answer) => (answer = next) };
}

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
};

describe('known versions', () => {
  it('are asked for once each; one that is not there is asked for again after half a minute', async () => {
    const { clock, asked, versions } = world();
    await Promise.all([versions.resolve([name(1), name(9)]), versions.resolve([name(1)])]);
    await versions.resolve([name(1), name(9)]);
    expect(asked).toEqual([1, 9]);
    expect([versions.isKnown(name(1)), versions.isKnown(name(9)), versions.isKnown(name(2))]).toEqual([
      true,
      false,
      undefined,
    ]);
    clock.advance(29_999);
    expect(versions.isKnown(name(9))).toBe(false);
    clock.advance(1);
    expect([versions.isKnown(name(1)), versions.isKnown(name(9))]).toEqual([true, undefined]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('are not known while the registry is away, which is asked once a second, and nobody waits', async () => {
    const { clock, asked, away, versions, answerBy } = world();
    answerBy(() => Promise.reject(unavailable('away')));
    await versions.resolve([name(1)]);
    await versions.resolve([name(1), name(2)]);
    expect([asked, away, versions.isKnown(name(1))]).toEqual([[1], [true], undefined]);
    clock.advance(999);
    await versions.resolve([name(1)]);
    expect(asked).toEqual([1]);
    clock.advance(1);
    answerBy(() => Promise.resolve(true));
    await versions.resolve([name(1)]);
    expect([asked, away, versions.isKnown(name(1))]).toEqual([[1, 1], [true, false], true]);
  });

  it('are waited for no longer than a batch can; the next one does not wait at all, and a late answer counts', async () => {
    const { clock, asked, away, versions, answerBy } = world();
    const late = Promise.withResolvers<boolean>();
    answerBy(() => late.promise);
    let done = false;
    void versions.resolve([name(1)]).then(() => (done = true));
    clock.advance(299);
    await turns();
    expect(done).toBe(false);
    clock.advance(1);
    await turns();
    expect([done, away]).toEqual([true, [true]]);
    await versions.resolve([name(1)]);
    late.resolve(true);
    await turns();
    expect([asked, versions.isKnown(name(1)), away]).toEqual([[1], true, [true, false]]);
  });

  it('are bounded, and those are kept that were used last', async () => {
    const { versions, answerBy } = world();
    answerBy(() => Promise.resolve(true));
    for (let from = 0; from < 10_000; from += 100)
      await versions.resolve(Array.from({ length: 100 }, (_, index) => name(from + index)));
    expect([versions.isKnown(name(0)), versions.isKnown(name(9_999))]).toEqual([true, true]);
    await versions.resolve([name(10_000), name(10_001)]);
    expect([0, 1, 2, 3, 10_001].map((version) => versions.isKnown(name(version)))).toEqual([
      ...[true, undefined, undefined, true, true],
    ]);
  });

  it('are asked for a hundred to a batch and eight at once; the others are for the next one', async () => {
    const { asked, versions, answerBy } = world();
    const answers: (() => void)[] = [];
    answerBy(() => new Promise((resolve) => answers.push(() => resolve(true))));
    const all = Array.from({ length: 150 }, (_, index) => name(index));
    const first = versions.resolve(all);
    await turns();
    expect(asked).toHaveLength(8);
    answers[0]!();
    await turns();
    expect(asked).toHaveLength(9);
    for (let index = 1; index < 100; index++) {
      answers[index]!();
      await turns();
    }
    await first;
    expect([asked.length, versions.isKnown(name(99)), versions.isKnown(name(100))]).toEqual([100, true, undefined]);
    void versions.resolve(all);
    await turns();
    expect(asked).toHaveLength(108);
  });

  it('wait no longer for their turn when the registry goes away, however many batches ask', async () => {
    const { asked, versions, answerBy, clock } = world();
    const away = Promise.withResolvers<boolean>();
    answerBy(() => away.promise);
    const batches = Array.from({ length: 20 }, (_, batch) =>
      versions.resolve(Array.from({ length: 100 }, (__, index) => name(batch * 100 + index))),
    );
    await turns();
    away.reject(unavailable('away'));
    await Promise.all(batches);
    expect(asked).toHaveLength(8);
    answerBy(() => Promise.resolve(true));
    clock.advance(1_000);
    await versions.resolve([name(1_500)]);
    expect(versions.isKnown(name(1_500))).toBe(true);
  });
});
