import { SluiceError } from '@sluice/domain/errors';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Wires, settled } from '../../test/link-wires.ts';
import type { RawClientCall, RawOutcome } from '../raw-client.ts';

type Step =
  | { readonly do: 'call'; readonly size: number; readonly ms: number }
  | { readonly do: 'cancel' | 'answer' | 'fail'; readonly which: number; readonly size: number }
  | { readonly do: 'pump'; readonly turns: number }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'stick'; readonly to: 'toServer' | 'toClient'; readonly stuck: boolean }
  | { readonly do: 'drain' | 'break' | 'connect' };

const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 600 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 120_000, max: 600_000 }) },
);
const which = fc.nat({ max: 40 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      size,
      ms: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 5_000, max: 30_000 })),
    }),
  },
  { weight: 16, arbitrary: fc.record({ do: fc.constantFrom('answer', 'answer', 'answer', 'fail'), which, size }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('cancel' as const), which, size }) },
  { weight: 16, arbitrary: fc.record({ do: fc.constant('pump' as const), turns: fc.integer({ min: 1, max: 30 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 300 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      ...{ do: fc.constant('stick' as const), to: fc.constantFrom('toServer', 'toClient'), stuck: fc.boolean() },
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('drain', 'break', 'connect', 'connect', 'connect') }) },
);

/** Tiny windows, so that everything has to wait for something. */
const limits = { windowBytes: 30_000, chunkBytes: 4_000, batchBytes: 9_000, maxPartialBytes: 300_000 };

class Run {
  readonly wires = new Wires({
    client: { limits, maxWaitingBytes: 2_000_000 },
    server: { limits, stallBytes: 50_000 },
  });
  readonly calls: { readonly call: RawClientCall; readonly sent: Buffer; readonly outcomes: RawOutcome[] }[] = [];
  /** What the handlers answered, by the number at the beginning of the request. */
  readonly answers = new Map<number, Buffer>();
  /** Memory that the handlers say facts of all calls in: the number of the call. */
  readonly #facts = Buffer.alloc(4);

  take(step: Step): void {
    const { wires } = this;
    switch (step.do) {
      case 'call':
        this.#call(step.size, step.ms);
        return;
      case 'cancel':
        this.calls[step.which % Math.max(1, this.calls.length)]?.call.cancel();
        return;
      case 'answer':
      case 'fail':
        this.#answer(step.do, step.which, step.size);
        return;
      case 'pump':
        wires.pump(step.turns);
        return;
      case 'wait':
        wires.clock.advance(step.ms);
        return;
      case 'stick':
        wires.stuck[step.to] = step.stuck;
        return;
      case 'drain':
        wires.server?.drain();
        return;
      case 'break':
        wires.events?.ended({ code: 14, details: 'read ECONNRESET', trailers: {} });
        return;
      case 'connect':
        wires.client.isConnected();
    }
  }

  #call(bytes: number, ms: number): void {
    const number = this.calls.length;
    const sent = Buffer.alloc(bytes + 4, number);
    sent.writeUInt32LE(number);
    const outcomes: RawOutcome[] = [];
    const deadlineMs = this.wires.clock.now() + ms;
    const metadata = number % 2 === 0 ? undefined : { traceparent: `00-${number}` };
    const options = { deadlineMs, ...(metadata && { metadata }) };
    const call = this.wires.client.call('/inference.GRPCInferenceService/ModelInfer', sent, options, (outcome) => {
      outcomes.push(outcome);
    });
    this.calls.push({ call, sent, outcomes });
  }

  #answer(how: 'answer' | 'fail', number: number, bytes: number): void {
    const { got } = this.wires;
    const one = got[number % Math.max(1, got.length)];
    if (one === undefined || one.call.ended) return;
    if (one.message.length >= 4) one.message.copy(this.#facts, 0, 0, 4);
    one.call.setFacts?.(this.#facts);
    if (how === 'fail') {
      one.call.fail(new SluiceError('resource-exhausted', 'full', { retryAfterMs: 5 }));
      return;
    }
    const answer = Buffer.alloc(bytes, number);
    if (one.message.length >= 4) this.answers.set(one.message.readUInt32LE(), answer);
    one.call.respond(answer);
  }

  /** Ends everything: whatever happened, each call has one outcome and nothing is left. */
  async end(): Promise<void> {
    const { wires } = this;
    wires.stuck.toServer = false;
    wires.stuck.toClient = false;
    wires.pump();
    for (let index = 0; index < wires.got.length; index++) this.#answer('answer', index, 300);
    wires.pump();
    wires.client.close();
    for (let second = 0; second < 140; second++) {
      wires.pump();
      wires.clock.advance(250);
    }
    wires.clock.advance(60_000);
    wires.pump();
    await settled();
    expect(this.calls.map(({ outcomes }) => outcomes.length)).toEqual(this.calls.map(() => 1));
    expect([wires.client.inFlight, wires.core.active.size, wires.stats.infer.inFlight]).toEqual([0, 0, 0]);
    expect(wires.overruns).toBe(0);
    expect([wires.server, wires.stats.link.inFlight, wires.clock.pendingTimers]).toEqual([undefined, 0, 0]);
  }
}

it('whatever happens in whatever order, each call ends once, with its own bytes or a failure, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }), async (steps) => {
      const run = new Run();
      for (const each of steps) run.take(each);
      await run.end();
      for (const { sent, outcomes } of run.calls) {
        const { error, message, facts } = outcomes[0]!;
        if (error === undefined) expect(message!.equals(run.answers.get(sent.readUInt32LE())!)).toBe(true);
        else expect(message).toBeUndefined();
        // What nobody but the client says of a call is without.
        if (error === undefined || facts !== undefined) expect(facts).toEqual(sent.subarray(0, 4));
      }
      // What arrived is what was sent.
      for (const { message } of run.wires.got)
        expect(message.equals(run.calls[message.readUInt32LE()]!.sent)).toBe(true);
    }),
    { numRuns: 200 },
  );
});

interface Damage {
  readonly how: 'flip' | 'cut' | 'grow' | 'swap' | 'lose' | 'replace';
  readonly at: number;
  readonly byte: number;
  readonly bytes: Uint8Array;
}
const damage: fc.Arbitrary<Damage> = fc.record({
  how: fc.constantFrom('flip', 'flip', 'flip', 'cut', 'grow', 'swap', 'lose', 'replace'),
  at: fc.nat({ max: 400 }),
  byte: fc.integer({ min: 1, max: 255 }),
  bytes: fc.uint8Array({ maxLength: 60 }),
});

function damaged(message: Buffer, { how, at, byte, bytes }: Damage): Buffer | undefined {
  const copy = Buffer.from(message);
  const index = at % Math.max(1, copy.length);
  switch (how) {
    case 'flip':
      if (copy.length > 0) copy[index]! ^= byte;
      return copy;
    case 'cut':
      return copy.subarray(0, index);
    case 'grow':
      return Buffer.concat([copy, bytes]);
    case 'swap':
      return Buffer.concat([copy.subarray(index), copy.subarray(0, index)]);
    case 'lose':
      return undefined;
    case 'replace':
      return Buffer.from(bytes);
  }
}

it('whatever bytes arrive, nothing throws, hangs or is left', async () => {
  const steps = fc.array(
    fc.tuple(step, fc.oneof({ weight: 15, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: damage })),
    { minLength: 20, maxLength: 80, size: 'max' },
  );
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const run = new Run();
      let next: Damage | undefined;
      run.wires.mangle = (message) => {
        const now = next;
        next = undefined;
        return now === undefined ? message : damaged(message, now);
      };
      for (const [each, hurt] of list) {
        next = hurt;
        run.take(each);
      }
      run.wires.mangle = (message) => message;
      await run.end();
      // A defect of ours would be one of these.
      expect(run.wires.lines.filter(({ reason }) => String(reason).includes('could not be worked on'))).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
