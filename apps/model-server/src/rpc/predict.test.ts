import { describe, expect, it } from 'vitest';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { decodeRuntimeFacts } from '@sluice/evidence/runtime-facts';
import type { ParameterValue } from '@sluice/inference/parameters';
import { buildInferRequest } from '@sluice/inference/request-builder';
import type { RawCall } from '@sluice/rpc/handlers';
import { systemClock } from '@sluice/service-kit/clock';
import type { InferAnswer } from '../serving/infer-job.ts';
import type { VersionEngine } from '../serving/version-engine.ts';
import type { ServingTable } from '../versions/serving-table.ts';
import type { WaitingRequest } from '../versions/waiting-requests.ts';
import { ByteBudget, bytesBesideMessage, predict } from './predict.ts';

const leave = () => false;
/** Nobody waits. */
const noWaits = { wait: () => leave, isBehind: () => false, waitBehind: () => leave };

describe('ByteBudget', () => {
  it('takes up to its limit exactly, refuses one byte more with a time to come back, and takes again what was released', () => {
    const budget = new ByteBudget(100);
    budget.take(60);
    budget.take(40);
    const refused = (): SluiceError => {
      try {
        budget.take(1);
      } catch (error) {
        return error as SluiceError;
      }
      throw new Error('was taken');
    };
    expect(refused()).toMatchObject({ kind: 'resource-exhausted', retryAfterMs: 100 });
    expect(refused().message).toContain('limit of 100');
    budget.release(40);
    budget.take(40);
    expect(budget.held).toBe(100);
  });

  it('lets one request pass that is larger than the limit, when it is alone', () => {
    const budget = new ByteBudget(100);
    budget.take(1000);
    expect(() => budget.take(1)).toThrow(SluiceError);
    budget.release(1000);
    expect(budget.held).toBe(0);
  });
});

describe('predict', () => {
  it('counts what a request costs beside its message, so that small ones cannot be without number', () => {
    const request = buildInferRequest({ modelName: 'm', inputs: [] });
    const budget = new ByteBudget(3 * (request.byteLength + bytesBesideMessage));
    const held: { released(isUnused: boolean): void }[] = [];
    const engine = {
      infer: (_bytes: Buffer, _deadline: number, answer: { released(isUnused: boolean): void }) =>
        void held.push(answer),
    };
    const table = { engineFor: () => engine } as unknown as ServingTable;
    const handler = predict({ clock: systemClock, table: () => table, budget, waits: noWaits });
    const call = { deadlineMs: 0, onCancel: () => undefined } as unknown as RawCall;
    for (let count = 0; count < 3; count += 1) handler(request, call);
    expect(() => handler(request, call)).toThrow(/send them later/);
    held.pop()!.released(false);
    handler(request, call);
    expect(held).toHaveLength(3);
  });
});

describe('the memory of a request', () => {
  function setUp(engine: unknown, waits = noWaits) {
    const request = buildInferRequest({ modelName: 'm', inputs: [] });
    const table = { engineFor: () => engine } as unknown as ServingTable;
    const budget = new ByteBudget(1_000_000);
    let unused = 0;
    const call = { deadlineMs: 0, onCancel: () => undefined, requestIsUnused: () => unused++ } as unknown as RawCall;
    predict({ clock: systemClock, table: () => table, budget, waits })(request, call);
    return { unused: () => unused, budget };
  }

  it('is given back when the engine says that it is unused, and else is not', () => {
    for (const isUnused of [true, false]) {
      const infer = (...[, , answer]: [Buffer, number, { released(isUnused: boolean): void }]) =>
        answer.released(isUnused);
      const { unused, budget } = setUp({ infer });
      expect([unused(), budget.held]).toEqual([isUnused ? 1 : 0, 0]);
    }
  });

  it('is left to the collector where it waited for its version: others had it', () => {
    const waiting: WaitingRequest[] = [];
    const { unused, budget } = setUp(undefined, {
      ...noWaits,
      wait: (...args: unknown[]) => {
        waiting.push(args[2] as WaitingRequest);
        return leave;
      },
    });
    const infer = (...[, , answer]: [Buffer, number, { released(isUnused: boolean): void }]) => answer.released(true);
    waiting[0]!.start({ infer } as unknown as VersionEngine);
    expect([unused(), budget.held]).toEqual([0, 0]);
  });
});

describe('a start that is refused before its engine sees it', () => {
  const mark = (start: boolean) =>
    new Map<string, ParameterValue>([
      ['sequence_id', { kind: 'int64', value: 7n }],
      ['sequence_start', { kind: 'bool', value: start }],
    ]);
  it('ends the sequence before it; another request does not', () => {
    const budget = new ByteBudget(1);
    budget.take(1);
    const ended: unknown[] = [];
    const engine = { sequences: { end: (id: unknown) => void ended.push(id) } };
    const table = { engineFor: () => engine } as unknown as ServingTable;
    const handler = predict({ clock: systemClock, table: () => table, budget, waits: noWaits });
    const send = (start: boolean) => () =>
      handler(buildInferRequest({ modelName: 'm', inputs: [], parameters: mark(start) }), {} as unknown as RawCall);
    expect(send(false)).toThrow(/send them later/);
    expect(ended).toEqual([]);
    expect(send(true)).toThrow(/send them later/);
    expect(ended).toEqual([7n]);
  });
});

describe('a request whose version is not loaded', () => {
  const request = buildInferRequest({ modelName: 'm', modelVersion: '2', inputs: [] });
  const held = request.byteLength + bytesBesideMessage;
  const clock = { now: () => 1_000, monotonic: () => 5 } as unknown as Clock;

  function setUp() {
    const budget = new ByteBudget(10 * held);
    const waits: { model: string; ref: string; request: WaitingRequest }[] = [];
    let over = false;
    const leave = (): boolean => !over && (over = true);
    const wait = (model: string, ref: string, waiting: WaitingRequest) => {
      waits.push({ model, ref, request: waiting });
      return leave;
    };
    const table = { engineFor: () => undefined } as unknown as ServingTable;
    const handler = predict({ clock, table: () => table, budget, waits: { ...noWaits, wait } });
    const told: unknown[] = [];
    let cancel = (): void => undefined;
    const call = {
      deadlineMs: 1_500,
      fail: (error: unknown) => void told.push(error),
      onCancel: (fn: () => void) => (cancel = fn),
    } as unknown as RawCall;
    handler(request, call);
    const end = (): void => void (over = true);
    return { budget, waits, told, end, cancel: () => cancel() };
  }

  it('waits with its bytes, and is handed over with its deadline when the version is there', () => {
    const { budget, waits, told, end, cancel } = setUp();
    expect([waits[0]!.model, waits[0]!.ref, budget.held]).toEqual(['m', '2', held]);
    const seen: unknown[] = [];
    let cancelled = 0;
    const infer = (bytes: Buffer, deadlineMs: number, answer: { released(isUnused: boolean): void }) => {
      seen.push(bytes, deadlineMs);
      answer.released(true);
      return () => (cancelled += 1);
    };
    const engine = { infer, lastRequestMs: -1 } as unknown as VersionEngine;
    end();
    waits[0]!.request.start(engine);
    expect([seen, engine.lastRequestMs, budget.held, told]).toEqual([[request, 505], 5, 0, []]);
    cancel();
    expect(cancelled).toBe(1);
  });

  it('gives its bytes back when it leaves, is told why the version does not come, or cannot be taken', () => {
    const left = setUp();
    left.cancel();
    expect(left.budget.held).toBe(0);
    const failed = setUp();
    failed.end();
    failed.waits[0]!.request.fail(new SluiceError('unavailable', 'no'));
    failed.cancel();
    expect([failed.budget.held, failed.told]).toEqual([0, [expect.objectContaining({ message: 'no' })]]);
    const refused = setUp();
    refused.end();
    const infer = (): never => {
      throw new SluiceError('invalid-argument', 'input "x" is missing');
    };
    refused.waits[0]!.request.start({ infer } as unknown as VersionEngine);
    expect([refused.budget.held, refused.told]).toEqual([0, [expect.objectContaining({ kind: 'invalid-argument' })]]);
  });

  it('is refused where waiting does not help, and holds nothing', () => {
    const budget = new ByteBudget(1_000_000);
    const wait = (): never => {
      throw new SluiceError('not-found', 'no such version');
    };
    const table = { engineFor: () => undefined } as unknown as ServingTable;
    const handler = predict({ clock: systemClock, table: () => table, budget, waits: { ...noWaits, wait } });
    expect(() => handler(request, {} as unknown as RawCall)).toThrow('no such version');
    expect(budget.held).toBe(0);
  });
});

describe('a request whose version has just been loaded', () => {
  it('goes behind those that are being handed over, and to no other version', () => {
    const request = buildInferRequest({ modelName: 'm', modelVersion: '2', inputs: [] });
    const sent: string[] = [];
    const engine = (name: string) => ({ infer: () => void sent.push(name) }) as unknown as VersionEngine;
    const [one, two] = [engine('one'), engine('two')];
    let found = one;
    const behind: WaitingRequest[] = [];
    const waits = {
      ...noWaits,
      isBehind: (of: unknown) => of === one,
      waitBehind: (_engine: unknown, waiting: WaitingRequest) => (behind.push(waiting), leave),
    };
    const table = { engineFor: () => found } as unknown as ServingTable;
    const handler = predict({ clock: systemClock, table: () => table, budget: new ByteBudget(1_000_000), waits });
    const call = { deadlineMs: 0, onCancel: () => undefined } as unknown as RawCall;
    handler(request, call);
    found = two;
    handler(request, call);
    expect([sent, behind.length]).toEqual([['two'], 1]);
    behind[0]!.start(one);
    expect(sent).toEqual(['two', 'one']);
  });
});

describe('facts of a request', () => {
  const request = buildInferRequest({ modelName: 'm', modelVersion: '2', inputs: [] });
  const facts = { queueMicros: 1, runMicros: 2, totalMicros: 4, batchRows: 8, costMicros: 0.5, rows: 3 };

  /** A call, and what it was told: facts as they were when it was answered. */
  function recorded(takesFacts: boolean | undefined) {
    const told: unknown[] = [];
    let said: Uint8Array | undefined;
    const end = (how: string): void => void told.push([how, decodeRuntimeFacts(said)]);
    const call = {
      ...{ deadlineMs: 1_500, onCancel: () => undefined, ...(takesFacts !== undefined && { takesFacts }) },
      setFacts: (octets: Uint8Array) => (said = octets),
      respond: () => end('answered'),
      fail: () => end('failed'),
    } as unknown as RawCall;
    return { call, told };
  }

  function setUp(ready: boolean) {
    let nowMs = 0;
    const clock = { now: () => nowMs, monotonic: () => nowMs } as unknown as Clock;
    const pass = (ms: number): void => void (nowMs += ms);
    const waiting: WaitingRequest[] = [];
    const answers: InferAnswer[] = [];
    const infer = (_bytes: Buffer, _deadlineMs: number, answer: InferAnswer) => void answers.push(answer);
    const engine = { infer } as unknown as VersionEngine;
    const table = { engineFor: () => (ready ? engine : undefined) } as unknown as ServingTable;
    const wait = (_model: string, _ref: string, one: WaitingRequest) => (waiting.push(one), leave);
    const budget = new ByteBudget(1_000_000);
    const handler = predict({ clock, table: () => table, budget, waits: { ...noWaits, wait } });
    return { pass, waiting, answers, engine, handler };
  }

  it('go with its answer or failure to a caller that takes them, and to no other', () => {
    const { handler, answers } = setUp(true);
    for (const [takesFacts, expected] of [
      [true, facts],
      [false, undefined],
      [undefined, undefined],
    ] as const) {
      const calls = [recorded(takesFacts), recorded(takesFacts)] as const;
      for (const { call } of calls) void handler(request, call);
      const [first, second] = answers.splice(0);
      expect([first!.waitedMs, second!.waitedMs]).toEqual([0, 0]);
      first!.respond(Buffer.alloc(0), facts);
      second!.fail(new SluiceError('internal', 'no'), { ...facts, rows: 7 });
      expect(calls.map(({ told }) => told)).toEqual([
        [['answered', expected]],
        [['failed', expected && { ...expected, rows: 7 }]],
      ]);
    }
  });

  it('have the wait for the load of its version, whether that comes or not', () => {
    const { handler, answers, waiting, pass, engine } = setUp(false);
    const [loaded, failed] = [recorded(true), recorded(true)];
    handler(request, loaded.call);
    pass(10);
    handler(request, failed.call);
    pass(20);
    waiting[0]!.start(engine);
    waiting[1]!.fail(new SluiceError('unavailable', 'no'));
    expect(answers.map(({ waitedMs }) => waitedMs)).toEqual([30]);
    const nothingRan = { runMicros: 0, batchRows: 0, costMicros: 0, rows: 0 };
    expect(failed.told).toEqual([['failed', { queueMicros: 20_000, totalMicros: 20_000, ...nothingRan }]]);
  });
});
