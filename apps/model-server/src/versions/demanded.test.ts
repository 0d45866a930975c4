import { describe, expect, it } from 'vitest';
import { notFound, SluiceError, unavailable } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Assignment } from './assignment.ts';
import { Demanded, numberedVersion } from './demanded.ts';

/** A registry whose answers the test gives. */
function setUp() {
  const asked: { key: string; answer: PromiseWithResolvers<Assignment> }[] = [];
  const clock = new FakeClock();
  const demanded = new Demanded((model, version) => {
    const answer = Promise.withResolvers<Assignment>();
    asked.push({ key: `${model}/${version}`, answer });
    return answer.promise;
  }, clock);
  const told: (string | SluiceError | Assignment)[] = [];
  const get = (version: number) =>
    demanded.get(
      { model: 'm', version },
      (assignment) => told.push(assignment),
      (error) => told.push(error),
    );
  const turn = async () => {
    for (let count = 0; count < 5; count += 1) await Promise.resolve();
  };
  return { demanded, clock, asked, told, get, turn };
}
const of = (version: number) => ({ model: 'm', version }) as Assignment;

describe('a version that a request names', () => {
  it('is one by its number, of a model that can be', () => {
    expect(numberedVersion('m', '7')).toEqual({ model: 'm', version: 7 });
    expect([numberedVersion('m', ''), numberedVersion('m', 'champion'), numberedVersion('no model', '7')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('Demanded', () => {
  it('asks once for all that want a version, and marks what it gets as not placed', async () => {
    const { asked, told, get, turn } = setUp();
    get(1);
    get(1);
    get(2);
    expect(asked.map(({ key }) => key)).toEqual(['m/1', 'm/2']);
    asked[0]!.answer.resolve(of(1));
    await turn();
    expect(told).toEqual([{ model: 'm', version: 1, demandOnly: true }]);
    // What was answered is forgotten.
    get(1);
    expect(asked).toHaveLength(3);
  });

  it('asks for at most 16 at once; another is to come again', async () => {
    const { demanded, asked, get, turn } = setUp();
    for (let version = 1; version <= 15; version += 1) get(version);
    demanded.check('m/99');
    get(16);
    expect(() => demanded.check('m/99')).toThrow(
      expect.objectContaining({ kind: 'resource-exhausted', retryAfterMs: 500 }),
    );
    // One that is being asked for is no other question.
    demanded.check('m/3');
    asked[0]!.answer.resolve(of(1));
    await turn();
    demanded.check('m/99');
  });

  it('remembers for two seconds what the registry does not have, until there is news of it', async () => {
    const { demanded, clock, asked, get, turn } = setUp();
    const refuse = async (thrown: unknown) => {
      get(1);
      asked.at(-1)!.answer.reject(thrown);
      await turn();
      return demanded.refusal('m/1')?.kind;
    };
    expect(await refuse(notFound('x'))).toBe('not-found');
    expect(demanded.refusal('m/2')).toBeUndefined();
    clock.advance(1_999);
    expect(demanded.refusal('m/1')).toBeDefined();
    clock.advance(1);
    expect(demanded.refusal('m/1')).toBeUndefined();
    expect(await refuse(new SluiceError('failed-precondition', 'quarantined'))).toBe('failed-precondition');
    demanded.forgetRefusals();
    expect(demanded.refusal('m/1')).toBeUndefined();
    // It may be back at any moment.
    expect(await refuse(unavailable('away'))).toBeUndefined();
    expect(await refuse(new Error('a defect'))).toBeUndefined();
    // An answer of before the news says nothing.
    get(1);
    demanded.forgetRefusals();
    asked.at(-1)!.answer.reject(notFound('x'));
    await turn();
    expect(demanded.refusal('m/1')).toBeUndefined();
  });

  it('remembers 1,024 refusals, the last ones', async () => {
    const { demanded, asked, get, turn } = setUp();
    const refuse = async (version: number) => {
      get(version);
      asked.at(-1)!.answer.reject(notFound('x'));
      await turn();
    };
    for (let version = 1; version <= 1_024; version += 1) await refuse(version);
    await refuse(2);
    expect([demanded.refusal('m/1'), demanded.refusal('m/3')]).toEqual([expect.anything(), expect.anything()]);
    await refuse(1_025);
    expect(demanded.refusal('m/1')).toBeUndefined();
    for (const version of [2, 3, 1_024, 1_025]) expect(demanded.refusal(`m/${version}`)).toBeDefined();
  });

  it('tells of a refusal at once, and not of an answer of before', async () => {
    const { demanded, asked, told, get, turn } = setUp();
    const refusal = new SluiceError('failed-precondition', 'quarantined');
    demanded.refuse('m/1', refusal);
    get(1);
    demanded.refuse('m/1', refusal);
    expect(told).toEqual([refusal]);
    get(1);
    asked[0]!.answer.resolve(of(1));
    await turn();
    expect(told).toEqual([refusal]);
    asked[1]!.answer.resolve(of(1));
    await turn();
    expect(told).toEqual([refusal, { model: 'm', version: 1, demandOnly: true }]);
  });

  it.each([
    [notFound('x'), 'not-found', "Request for unknown model: 'm' version '7' is not found on this runtime"],
    [new SluiceError('unimplemented', 'x'), 'not-found', "version '7' is not found"],
    [new SluiceError('invalid-argument', 'x'), 'not-found', "version '7' is not found"],
    [unavailable('x'), 'unavailable', 'm version 7 is not placed here, and the registry that knows it is away'],
    [new SluiceError('deadline-exceeded', 'x'), 'unavailable', 'is away: try again, or pin it'],
    [new SluiceError('failed-precondition', 'm version 7 is quarantined'), 'failed-precondition', 'is quarantined'],
    [new Error('a defect'), 'unavailable', 'm version 7 is not placed here and could not be had from the registry'],
  ])('tells of %s as of a request', async (thrown, kind, message) => {
    const { asked, told, get, turn } = setUp();
    get(7);
    asked[0]!.answer.reject(thrown);
    await turn();
    expect(told).toEqual([expect.objectContaining({ kind, message: expect.stringContaining(message) as string })]);
  });
});
