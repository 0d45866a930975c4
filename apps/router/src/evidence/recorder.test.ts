import { SluiceError } from '@sluice/domain/errors';
import type { CapturePolicy } from '@sluice/domain/release';
import { defaultCapture } from '@sluice/domain/release';
import { readBlock } from '@sluice/evidence/read-block';
import { maxBlockBytes } from '@sluice/evidence/spool/options';
import { encodeRuntimeFacts } from '@sluice/evidence/runtime-facts';
import { hashInputs } from '@sluice/inference/input-hash';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { wireModel } from '../../test/routes.ts';
import type { ModelFacts } from '../../test/routes.ts';
import { inferBytes } from '../../test/world.ts';
import type { AttemptEnd, ObservedAttempt } from '../route/attempt-observer.ts';
import type { ModelRoute } from '../route/table.ts';
import { decodeModelRoute } from '../watch/decode-routes.ts';
import { Captures, mostPayloadBytes } from './capture.ts';
import { Recorder } from './recorder.ts';

/** The end of it is half of the range from which samples are taken. */
const predictionId = '0197a1b2-c3d4-7ef0-89ab-cdef80000000';
const message = inferBytes({ id: 'mine' });

/** A model with a policy. */
function modelWith(capture: Partial<CapturePolicy>, hasTask = false, facts: ModelFacts = { release: 3 }): ModelRoute {
  const wire = wireModel({ placed: [3, 4], ...facts });
  const model = decodeModelRoute({ ...wire, placed: wire.placed.map((each) => ({ ...each, hasTask })) });
  const { release } = model;
  if (!release) return model;
  Object.assign(release.release, { capture: { ...defaultCapture, ...capture } });
  return model;
}

function attemptOf(model: ModelRoute, change: Partial<ObservedAttempt> = {}): ObservedAttempt {
  const arm = model.release?.arms[0];
  return {
    ...{ predictionId, version: model.placed.get(3)!, assigned: arm, served: arm, reason: 'only-arm', rule: '' },
    ...{ attempt: 1, runtimeId: 'r1', fallback: undefined, receivedMs: 100, sentMs: 100.5, message, requestId: 'mine' },
    said: { subject: undefined, unit: undefined, arm: undefined, caller: undefined },
    traceparent: undefined,
    ...change,
  };
}

const answered = (change: Partial<AttemptEnd> = {}): AttemptEnd => ({
  ...{ endedMs: 102, error: undefined, answered: true, answer: [Buffer.from('an'), Buffer.from('swer')] },
  ...{ outcome: undefined, ...change },
});

function setUp(model: ModelRoute, given: { readonly keep?: number; readonly room?: boolean | 'lost' } = {}) {
  const clock = new FakeClock();
  const deferred: (() => void)[] = [];
  const blocks: { readonly records: number; readonly bytes: Buffer }[] = [];
  const synced: ((failure?: SluiceError) => void)[] = [];
  const counted: string[] = [];
  const refused: string[] = [];
  const reserved: number[] = [];
  let released = 0;
  const take = (block: Uint8Array, records: number): number => blocks.push({ records, bytes: Buffer.from(block) });
  const recorder = new Recorder({
    store: {
      append: take,
      reserve(bytes) {
        reserved.push(bytes);
        if (given.room === false) return undefined;
        return {
          append: given.room === 'lost' ? () => undefined : take,
          join: () => true,
          release: () => {
            released++;
          },
        };
      },
      synced: (_position, done) => void synced.push(done),
      keepProbability: () => given.keep ?? 1,
    },
    captures: new Captures((name) => (name === model.name ? model.release?.release.capture : undefined)),
    clock,
    defer: (fn) => void deferred.push(fn),
    hashUnit: (unit) => unit.padEnd(16, '.'),
    onRecord: (fate) => void counted.push(fate),
    onNoRoom: (model, id) => void refused.push(`${model} ${id}`),
  });
  const records = () => blocks.flatMap(({ bytes }) => readBlock(bytes));
  const endTurn = () => deferred.splice(0).forEach((fn) => fn());
  return { clock, recorder, blocks, records, synced, counted, refused, reserved, endTurn, releases: () => released };
}

/** The one record of an attempt. */
function recordOf(model: ModelRoute, change: Partial<ObservedAttempt> = {}, end: Partial<AttemptEnd> = {}) {
  const { recorder, records } = setUp(model);
  recorder.attemptEnded(attemptOf(model, change), answered(end));
  recorder.flush();
  expect(records()).toHaveLength(1);
  return records()[0]!;
}

describe('a record', () => {
  it('has all that the router knows of an attempt', () => {
    const model = modelWith({ request: true, response: true, retentionClass: 'long' });
    const facts = { queueMicros: 1, runMicros: 20, totalMicros: 30, batchRows: 8, costMicros: 2.5, rows: 4 };
    const said = { subject: 'ann', unit: 'u1', arm: undefined, caller: 'shop' };
    const trace = 'ab'.repeat(16);
    const traceparent = `00-${trace}-${'cd'.repeat(8)}-01`;
    const outcome = { facts: encodeRuntimeFacts(facts) } as unknown as RawOutcome;
    const { context, inputHash, ...rest } = recordOf(
      model,
      { said, traceparent, reason: 'rule', rule: 'lab', attempt: 2 },
      { outcome },
    );
    expect(context).toEqual({
      ...{
        model: 'digits',
        version: 3,
        versionDigest: 'd3',
        releaseId: 'digits@1',
        seedId: 'digits/1',
        policyVersion: 0,
      },
      ...{ arm: 'primary', servedArm: 'primary', role: 'primary', propensity: 1, retentionClass: 'long' },
    });
    expect(Buffer.from(inputHash!).toString('latin1')).toBe(hashInputs(message));
    const { rows, ...timings } = facts;
    expect(rest).toEqual({
      ...{ predictionId, attempt: 2, answered: true, reason: 'rule', status: 0, fallbackStatus: 0 },
      ...{ receivedMs: Date.UTC(2026, 0, 1) + 100, sentMicros: 500, endedMicros: 2000, timings, rows },
      ...{ keepProbability: 1, unitHash: Buffer.from('u1..............'), requestId: 'mine', subject: 'ann' },
      ...{ caller: 'shop', traceId: trace, rule: 'lab', runtime: 'r1' },
      ...{ requestState: 'captured', request: message, responseState: 'captured', response: Buffer.from('answer') },
    });
  });

  it('of a failure has its status, and no response', () => {
    const error = new SluiceError('model-failed', 'it failed');
    const fallback = new SluiceError('unavailable', 'away');
    const record = recordOf(modelWith({ response: true }), { fallback }, { error, answer: undefined, answered: false });
    expect(record).toMatchObject({ status: 13, fallbackStatus: 14, answered: false, responseState: 'none' });
    expect(record).toMatchObject({ timings: undefined, rows: 0, response: undefined });
  });

  it('of a fallback is of the arm that was assigned, and names the one that served', () => {
    const arms = { primary: [3, 'PRIMARY', 0.75], candidate: [4, 'CANDIDATE', 0.25] } as const;
    const model = modelWith({}, false, { release: { arms } });
    const [primary, candidate] = model.release!.arms;
    const { context } = recordOf(model, { assigned: candidate, served: primary });
    expect(context).toMatchObject({ arm: 'candidate', servedArm: 'primary', version: 3, versionDigest: 'd3' });
    expect(context).toMatchObject({ role: 'candidate', propensity: 0.25 });
  });

  it('of a request that named its version is of no arm, under the policy of the model', () => {
    const named = { assigned: undefined, served: undefined, reason: 'named' } as const;
    const model = modelWith({ retentionClass: 'short' });
    expect(recordOf(model, named).context).toMatchObject({
      arm: '',
      releaseId: '',
      role: undefined,
      retentionClass: 'short',
    });
    const without = modelWith({}, false, { unplaced: [9] });
    expect(recordOf(without, named).context).toMatchObject({ version: 3, retentionClass: 'standard' });
  });

  it.each(['', '00-xyz', `00-${'g'.repeat(32)}-${'a'.repeat(16)}-01`])('has no trace of %j', (traceparent) => {
    expect(recordOf(modelWith({}), { traceparent }).traceId).toBe('');
  });
});

describe('payloads', () => {
  const states = (capture: Partial<CapturePolicy>, hasTask = false, end: Partial<AttemptEnd> = {}) => {
    const { requestState, responseState } = recordOf(modelWith(capture, hasTask), {}, end);
    return [requestState, responseState];
  };
  const answerOf = (bytes: number): Partial<AttemptEnd> => ({ answer: [Buffer.alloc(bytes - 1), Buffer.alloc(1)] });

  it('are kept as the policy says, up to its bound', () => {
    expect(states({})).toEqual(['off', 'off']);
    expect(states({ request: true, response: false })).toEqual(['captured', 'off']);
    expect(states({ request: true, response: true, maxPayloadBytes: 5 })).toEqual(['too-large', 'too-large']);
    expect(states({ response: true, maxPayloadBytes: 6 })).toEqual(['off', 'captured']);
  });

  it('of more than 4 MiB are not kept, whatever the policy says', () => {
    const most = { response: true, maxPayloadBytes: 64 * 1024 * 1024 } as const;
    expect(states(most, false, answerOf(mostPayloadBytes))).toEqual(['off', 'captured']);
    expect(states(most, false, answerOf(mostPayloadBytes + 1))).toEqual(['off', 'too-large']);
    const { recorder, reserved } = setUp(modelWith({ ...most, request: true, durability: 'durable' }));
    recorder.reserve('digits', predictionId, mostPayloadBytes);
    expect(reserved[0]! - 2 * mostPayloadBytes).toBeLessThan(5_000);
    // What is reserved fits into a segment of the spool.
    expect(reserved[0]).toBeLessThan(maxBlockBytes({ segmentBytes: 16 * 1024 * 1024 }));
  });

  it('are small responses where the version declares a task and nobody said', () => {
    expect(states({}, true, answerOf(1024))).toEqual(['off', 'captured']);
    expect(states({}, true, answerOf(1025))).toEqual(['off', 'too-large']);
    expect(states({ maxPayloadBytes: 100 }, true, answerOf(101))).toEqual(['off', 'too-large']);
    expect(states({ response: false }, true)).toEqual(['off', 'off']);
  });

  it('have zeros where the policy hides an input, and are not kept where that cannot be done', () => {
    const record = recordOf(modelWith({ request: true, redact: ['x'] }));
    expect(record.requestState).toBe('captured');
    expect(Buffer.from(record.request!).equals(message)).toBe(false);
    expect(record.request).toHaveLength(message.length);
    // Input x, FP32, with contents of its own.
    const typed = Buffer.from('2a0f0a01781204465033322a04320201', 'hex');
    expect(recordOf(modelWith({ request: true, redact: ['x'] }), { message: typed }).requestState).toBe(
      'not-redactable',
    );
  });

  it('of a version whose columns are not known here, or do not have the name, are not kept where some are hidden', () => {
    const model = modelWith({ request: true, redact: ['x'] }, false, { release: 3, unplaced: [9] });
    const version = { ...model.placed.get(3)!, placed: false };
    expect(recordOf(model, { version })).toMatchObject({ requestState: 'not-redactable', inputHash: undefined });
    expect(recordOf(modelWith({ request: true, redact: ['x', 'age'] })).requestState).toBe('not-redactable');
  });

  it('have no hash of inputs beside them where some are hidden: these could be guessed', () => {
    expect(recordOf(modelWith({ request: true, redact: ['x'] })).inputHash).toBeUndefined();
    expect(recordOf(modelWith({ request: false, redact: ['x'] })).inputHash).toBeUndefined();
  });

  it('are zeroed in their own record alone', () => {
    const model = modelWith({ request: true, redact: ['x'] });
    const { recorder, records } = setUp(model);
    recorder.attemptEnded(attemptOf(model), answered());
    Object.assign(model.release!.release, { capture: { ...defaultCapture, request: true } });
    recorder.attemptEnded(attemptOf(model), answered());
    recorder.flush();
    expect(records().map(({ request }) => Buffer.from(request!).equals(message))).toEqual([false, true]);
  });

  it('follow the policy as it is now, also of an arm of a release of before', () => {
    const before = modelWith({ request: true });
    const { recorder, records } = setUp(modelWith({ request: false, retentionClass: 'short' }));
    recorder.attemptEnded(attemptOf(before), answered());
    recorder.flush();
    expect(records()[0]).toMatchObject({ requestState: 'off', context: { retentionClass: 'short' } });
  });
});

describe('the recorder', () => {
  it('puts records into a block, and hands it over after 50 ms', () => {
    const model = modelWith({});
    const { clock, recorder, blocks } = setUp(model);
    for (let each = 0; each < 3; each++) recorder.attemptEnded(attemptOf(model), answered());
    clock.advance(49);
    expect(blocks).toEqual([]);
    clock.advance(1);
    expect(blocks.map(({ records }) => records)).toEqual([3]);
    expect(clock.pendingTimers).toBe(0);
    recorder.attemptEnded(attemptOf(model), answered());
    clock.advance(50);
    expect(blocks.map(({ records }) => records)).toEqual([3, 1]);
  });

  it('hands a block over at once when it is full', () => {
    const model = modelWith({ response: true });
    const { recorder, blocks, records } = setUp(model);
    const answer = [Buffer.alloc(50_000, 7)] as const;
    for (let each = 0; each < 5; each++)
      recorder.attemptEnded(attemptOf(model, { attempt: each + 1 }), answered({ answer }));
    expect(blocks.map(({ records }) => records)).toEqual([2, 2]);
    recorder.flush();
    expect(records().map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
    recorder.flush();
    expect(blocks).toHaveLength(3);
  });

  it('keeps the share of predictions that policy and spool say, each of them whole', () => {
    for (const [rate, keep, id, kept] of [
      [0.6, 1, '80000000', true],
      [0.5, 1, '80000000', false],
      [0.5, 1, '7fffffff', true],
      [1, 0.4, '80000000', false],
      [0.9, 0.9, '80000000', true],
      [0, 1, '00000000', false],
    ] as const) {
      const model = modelWith({ rate });
      const { recorder, records, counted } = setUp(model, { keep });
      const attempt = attemptOf(model, { predictionId: predictionId.slice(0, -8) + id });
      for (let each = 0; each < 2; each++) recorder.attemptEnded(attempt, answered());
      recorder.flush();
      expect([rate, keep, records().map((record) => record.keepProbability)]).toEqual([
        ...[rate, keep],
        kept ? [rate * keep, rate * keep] : [],
      ]);
      const fate = kept ? 'kept' : 'left_out';
      expect(counted).toEqual([fate, fate]);
    }
  });

  it('lets answers of best-effort models go at once', () => {
    const { recorder, reserved } = setUp(modelWith({}));
    expect([recorder.reserve('digits', predictionId, 100), recorder.reserve('other', predictionId, 100)]).toEqual([
      undefined,
      undefined,
    ]);
    expect(reserved).toEqual([]);
  });
});

describe('the recorder of a durable model', () => {
  const durable = { durability: 'durable' } as const;

  it('reserves room for all that a record may have', () => {
    const model = modelWith({ ...durable, request: true, response: true, maxPayloadBytes: 1000 });
    const { recorder, reserved } = setUp(model);
    recorder.reserve('digits', predictionId, 0);
    recorder.reserve('digits', predictionId, 1000);
    recorder.reserve('digits', predictionId, 1001);
    const [empty] = reserved;
    expect(reserved.map((bytes) => bytes - empty!)).toEqual([0, 1000, 0]);
    const small = setUp(modelWith({ ...durable, request: false }));
    small.recorder.reserve('digits', predictionId, 1000);
    expect(small.reserved[0]! - empty!).toBe(1024 - 1000);
  });

  it('stores a record at the end of the turn, and says when it is on disk', () => {
    const model = modelWith({ ...durable, rate: 0.75, response: true });
    const { recorder, blocks, records, synced, counted, endTurn } = setUp(model, { keep: 0.1 });
    const outcomes: unknown[] = [];
    const room = recorder.reserve('digits', predictionId, message.length)!;
    room.store(attemptOf(model), answered(), (failure) => outcomes.push(failure?.kind));
    expect([blocks, counted]).toEqual([[], []]);
    endTurn();
    expect([blocks.map((block) => block.records), outcomes]).toEqual([[1], []]);
    // The share of the spool is for what can be left out.
    expect(records()[0]).toMatchObject({ keepProbability: 0.75, response: Buffer.from('answer') });
    for (const each of synced) each();
    expect([outcomes, counted]).toEqual([[undefined], ['kept']]);
  });

  it('says of a record with which probability its room was taken, whatever the policy is by then', () => {
    const model = modelWith({ ...durable, rate: 0.75 });
    const { recorder, records, endTurn } = setUp(model);
    const room = recorder.reserve('digits', predictionId, 1)!;
    Object.assign(model.release!.release, { capture: { ...defaultCapture, ...durable, rate: 0.1 } });
    room.store(attemptOf(model), answered(), () => undefined);
    endTurn();
    expect(records()[0]?.keepProbability).toBe(0.75);
  });

  it('refuses when there is no room for the record after all, counts it apart and says so', async () => {
    const model = modelWith(durable);
    const { recorder, counted, refused, endTurn } = setUp(model, { room: 'lost' });
    const outcomes: unknown[] = [];
    const room = recorder.reserve('digits', predictionId, 1)!;
    room.store(attemptOf(model), answered(), (failure) => outcomes.push(failure?.kind));
    endTurn();
    await Promise.resolve();
    expect([outcomes, counted, refused]).toEqual([['resource-exhausted'], ['refused'], [`digits ${predictionId}`]]);
  });

  it('hands best-effort records over alone when they are due or fill a block, and all when it is told to', () => {
    const model = modelWith({ ...durable, response: true });
    const { clock, recorder, blocks } = setUp(model);
    recorder.reserve('digits', predictionId, 1)!.store(attemptOf(model), answered(), () => undefined);
    recorder.attemptEnded(attemptOf(model), answered());
    clock.advance(50);
    const answer = [Buffer.alloc(50_000)] as const;
    for (let each = 0; each < 3; each++) recorder.attemptEnded(attemptOf(model), answered({ answer }));
    expect(blocks.map((block) => block.records)).toEqual([1, 2]);
    recorder.flush();
    expect(blocks.map((block) => block.records)).toEqual([1, 2, 1, 1]);
  });

  it('says when it was by the clock of the machine as it is', () => {
    const model = modelWith(durable);
    const { recorder, records, clock, endTurn } = setUp(model);
    clock.advance(1000);
    recorder.reserve('digits', predictionId, 1)!.store(attemptOf(model), answered(), () => undefined);
    endTurn();
    expect(records()[0]?.receivedMs).toBe(Date.UTC(2026, 0, 1) + 100);
  });

  it('lets answers go at once whose records are not kept', () => {
    const { recorder, reserved } = setUp(modelWith({ ...durable, rate: 0.5 }));
    expect([recorder.reserve('digits', predictionId, 1), reserved]).toEqual([undefined, []]);
  });

  it('refuses when there is no room, and says that it is worth another try', () => {
    const { recorder } = setUp(modelWith(durable), { room: false });
    expect(() => recorder.reserve('digits', predictionId, 1)).toThrow(
      expect.objectContaining({ kind: 'resource-exhausted', retryAfterMs: 1000 }),
    );
  });

  it('gives room back', () => {
    const { recorder, releases } = setUp(modelWith(durable));
    recorder.reserve('digits', predictionId, 1)!.release();
    expect(releases()).toBe(1);
  });
});
