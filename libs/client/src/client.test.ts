import { FakeClock } from '@sluice/testkit/fake-clock';
import { RpcError } from '@sluice/rpc/status';
import { describe, expect, it } from 'vitest';
import { parseAddresses } from './addresses.ts';
import { fromParameters, toParameters } from './parameters.ts';
import { withRetries } from './retrying.ts';
import { toPart } from './tensors.ts';
import type { Tensor } from './tensors.ts';

describe('parseAddresses', () => {
  it.each([
    ['127.0.0.1:8001', ['127.0.0.1:8001']],
    ['router.example', ['router.example:8001']],
    ['http://a:1/, b', ['a:1', 'b:8001']],
    ['[::1]:9, [::1]', ['[::1]:9', '[::1]:8001']],
  ])('reads %s', (text, expected) => expect(parseAddresses(text, 8001)).toEqual(expected));

  it.each(['', ',', 'a:0', 'a:65536', '::1', 'a b', 'http://a/path', 'user@a'])('refuses "%s"', (text) => {
    expect(() => parseAddresses(text, 8001)).toThrow(/expected host:port/);
  });

  it('says that TLS is missing', () => expect(() => parseAddresses('https://a', 8001)).toThrow(/TLS is not there yet/));
});

describe('toPart', () => {
  const base = { name: 'x', datatype: 'FP32', shape: [2] } as const;

  it("sends a typed array of the datatype's own kind as it is, also one that is a view", () => {
    const memory = new Float32Array([9, 1, 2, 9]);
    const { data } = toPart({ ...base, data: memory.subarray(1, 3) });
    expect((data as Uint8Array).buffer).toBe(memory.buffer);
    expect(new Float32Array(Uint8Array.from(data as Uint8Array).buffer)).toEqual(new Float32Array([1, 2]));
  });

  it('converts everything else value by value', () => {
    expect(toPart({ ...base, data: [1, 2] }).data).toEqual(new Uint8Array(new Float32Array([1, 2]).buffer));
    expect(toPart({ ...base, data: new Float64Array([1, 2]) }).data).toEqual(
      new Uint8Array(new Float32Array([1, 2]).buffer),
    );
    expect(toPart({ ...base, datatype: 'FP16', data: [1, -2] }).data).toEqual(Uint8Array.of(0, 0x3c, 0, 0xc0));
    expect(toPart({ ...base, datatype: 'BOOL', data: [true, false] }).data).toEqual(Uint8Array.of(1, 0));
  });

  it('takes raw bytes for any datatype but UINT8 and BOOL', () => {
    const raw = Uint8Array.of(1, 2, 3, 4);
    expect(toPart({ ...base, datatype: 'FP16', data: raw }).data).toBe(raw);
    expect(() => toPart({ ...base, datatype: 'UINT8', data: raw })).toThrow(
      "tensor 'x': shape [2] has 2 elements, but 4 were given",
    );
  });

  it.each<[string, Tensor, RegExp]>([
    ['too few values', { ...base, data: [1] }, /^tensor 'x': shape \[2\] has 2 elements, but 1 were given$/],
    [
      'raw bytes of another length',
      { ...base, data: Uint8Array.of(1, 2, 3) },
      /^tensor 'x': shape \[2\] of FP32 has 8 bytes, but 3 were given$/,
    ],
    ['a value of another type', { ...base, datatype: 'INT8', data: [1, 200] }, /^tensor 'x': .*-128 to 127/],
    [
      'a number for a string',
      { ...base, datatype: 'BYTES', data: ['a', 1] },
      /^tensor 'x': element 1: expected a string/,
    ],
  ])('refuses %s', (_name, tensor, message) => expect(() => toPart(tensor)).toThrow(message));
});

describe('parameters', () => {
  it('have the types of their values, and come back', () => {
    const given = { a: 'x', b: true, c: 7, d: 1.5, e: 9007199254740993n };
    expect(toParameters(given).get('c')).toEqual({ kind: 'int64', value: 7n });
    expect(toParameters(given).get('d')).toEqual({ kind: 'double', value: 1.5 });
    expect(fromParameters(toParameters(given))).toEqual({ ...given, c: 7n });
  });
});

describe('withRetries', () => {
  const failure = (origin: 'answered' | 'unsent' | 'lost', kind = 'unavailable' as const, retryAfterMs?: number) =>
    new RpcError(kind, 'away', { origin, code: 14, retryAfterMs });

  /** Runs until it settles, moving the clock to each timer; gives the times of the attempts. */
  async function run(
    error: Error,
    call: { idempotent: boolean; change?: boolean; deadlineMs?: number },
    retryForMs: number,
    succeedAt = Number.POSITIVE_INFINITY,
  ) {
    const clock = new FakeClock(0);
    const times: number[] = [];
    const options = { clock, random: { uniform: () => 1, bytes: () => new Uint8Array() }, retryForMs };
    let outcome: unknown = 'pending';
    void withRetries(options, call, async () => {
      times.push(clock.now());
      if (times.length >= succeedAt) return 'done';
      throw error;
    }).then(
      (value) => (outcome = value),
      (thrown: unknown) => (outcome = thrown),
    );
    for (let step = 0; step < 5_000 && outcome === 'pending'; step++) {
      await new Promise((resolve) => setImmediate(resolve));
      clock.advance(10);
    }
    return { times, outcome };
  }

  it('waits longer each time, and gives up before its time is over', async () => {
    const error = failure('unsent');
    const { times, outcome } = await run(error, { idempotent: true }, 1_000);
    expect(outcome).toBe(error);
    expect(times).toEqual([0, 50, 150, 350, 750]);
  });

  it('ends with the first success', async () => {
    const { times, outcome } = await run(failure('lost'), { idempotent: true }, 1_000, 3);
    expect([times.length, outcome]).toEqual([3, 'done']);
  });

  it("keeps to the call's own deadline, and to what the peer asked for", async () => {
    expect((await run(failure('unsent'), { idempotent: true, deadlineMs: 100 }, 1_000)).times).toEqual([0, 50]);
    expect((await run(failure('answered', 'unavailable', 400), { idempotent: true }, 1_000)).times).toEqual([
      0, 400, 800,
    ]);
  });

  it('never repeats what may have been carried out and must not be twice, nor what cannot get better', async () => {
    expect((await run(failure('lost'), { idempotent: false }, 1_000)).times).toEqual([0]);
    expect((await run(failure('unsent'), { idempotent: false }, 1_000)).times.length).toBeGreaterThan(1);
    const wrong = new RpcError('invalid-argument', 'no', { origin: 'answered', code: 3 });
    expect((await run(wrong, { idempotent: true }, 1_000)).times).toEqual([0]);
    const full = (retryAfterMs?: number) =>
      new RpcError('resource-exhausted', 'full', { origin: 'answered', code: 8, retryAfterMs });
    expect((await run(full(), { idempotent: true }, 1_000)).times).toEqual([0]);
    expect((await run(full(600), { idempotent: true }, 1_000)).times).toEqual([0, 600]);
    expect((await run(new TypeError('ours'), { idempotent: true }, 1_000)).times).toEqual([0]);
  });

  it('repeats a refused change only when the refusal says that nothing was begun', async () => {
    const change = { idempotent: false, change: true };
    expect((await run(failure('answered'), change, 1_000)).times).toEqual([0]);
    expect((await run(failure('answered'), { idempotent: true }, 1_000)).times.length).toBeGreaterThan(1);
    expect((await run(failure('answered', 'unavailable', 400), change, 1_000)).times).toEqual([0, 400, 800]);
    expect((await run(failure('lost'), change, 1_000)).times).toEqual([0]);
    expect((await run(failure('unsent'), change, 1_000)).times.length).toBeGreaterThan(1);
  });

  it('sends once when told so', async () => {
    expect((await run(failure('unsent'), { idempotent: true }, 0)).times).toEqual([0]);
  });
});
