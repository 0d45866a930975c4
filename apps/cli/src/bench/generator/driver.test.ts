import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../seeded-random.ts';
import { Driver, type Load, type Pacer } from './driver.ts';
import { RequestBytes, type Taken } from './request-bytes.ts';
import { SequenceBook } from './sequences.ts';
import { sumCounts, Tally } from './tally.ts';
import { failure, type Flight, type Transport } from './transport.ts';

/** A server that answers each request after a time of the clock, and counts. */
class FakeServer implements Transport {
  readonly sentAt: number[] = [];
  readonly lanes: (number | undefined)[] = [];
  readonly bytes: string[] = [];
  inFlight = 0;
  most = 0;
  readonly #clock: FakeClock;
  /** What becomes of request `number`, and when; by default it is answered after 10 ms. */
  behaviour: (number: number) => { readonly afterMs: number; readonly status?: string; readonly lost?: boolean } =
    () => ({
      afterMs: 10,
    });

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  send(lane: number | undefined, take: (id: string | undefined) => Taken, flight: Flight): void {
    const { afterMs, status = 'OK', lost = false } = this.behaviour(this.sentAt.length);
    this.sentAt.push(this.#clock.monotonic());
    this.lanes.push(lane);
    const { message, suffix } = take(undefined);
    this.bytes.push(Buffer.concat([message, suffix ?? Buffer.alloc(0)]).toString('latin1'));
    this.inFlight += 1;
    this.most = Math.max(this.most, this.inFlight);
    this.#clock.schedule(afterMs, () => {
      this.inFlight -= 1;
      if (status === 'OK') flight.ended({ status, message: '', firstByteMs: this.#clock.monotonic() - 1, lost });
      else flight.ended(failure(status, 'because', lost));
    });
  }

  close(): void {}
}

function rig(sequences?: { length: number; alive: number }) {
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const tally = new Tally();
  const book = new SequenceBook(
    { length: sequences?.length ?? 1, variationPercent: 0, firstId: 1, alive: 1 },
    new SeededRandom(1),
  );
  let wake: { cancel: () => void } | undefined;
  const pacer: Pacer = {
    wakeAt(at, fn) {
      wake?.cancel();
      wake = clock.schedule(at - clock.monotonic(), fn);
    },
    soon: (fn) => void clock.schedule(0, fn),
    cancel: () => wake?.cancel(),
  };
  const driver = new Driver({
    clock,
    pacer,
    transport: server,
    tally,
    requests: new RequestBytes([Buffer.from('request')]),
    sequences: sequences && { book, alive: sequences.alive },
  });
  return { clock, server, driver, counts: () => sumCounts([tally.take()]) };
}

const open = (perSecond: number, mostInFlight = 1000): Load => ({
  kind: 'open',
  arrivals: { kind: 'constant', perSecond },
  share: { index: 0, of: 1 },
  mostInFlight,
});

describe('a closed loop', () => {
  it('keeps so many in flight, and sends the next when one is answered', () => {
    const { clock, server, driver, counts } = rig();
    driver.start({ kind: 'closed', inFlight: 3 });
    clock.advance(100);
    expect([server.most, server.inFlight, server.sentAt.length]).toEqual([3, 3, 33]);
    const { latencies, receiveMs, scheduled } = counts();
    expect([latencies.count, latencies.min, latencies.max, receiveMs, scheduled]).toEqual([30, 10, 10, 30, 0]);
  });

  it('stops when so many are sent, and its stop waits for those in flight', async () => {
    const { clock, server, driver } = rig();
    driver.start({ kind: 'closed', inFlight: 4 }, 10);
    clock.advance(1000);
    expect(server.sentAt).toHaveLength(10);
    await driver.stop();
    driver.start({ kind: 'closed', inFlight: 2 });
    let stopped = false;
    const stop = driver.stop().then(() => (stopped = true));
    await Promise.resolve();
    expect(stopped).toBe(false);
    clock.advance(10);
    await stop;
    expect([server.inFlight, server.sentAt.length]).toEqual([0, 12]);
  });

  it('counts failures by status, without a latency, and goes on', () => {
    const { clock, server, driver, counts } = rig();
    server.behaviour = (number) => ({ afterMs: 10, ...(number % 2 === 1 && { status: 'INTERNAL' }) });
    driver.start({ kind: 'closed', inFlight: 1 });
    clock.advance(100);
    const { failures, latencies } = counts();
    expect([failures, latencies.count]).toEqual([{ INTERNAL: { count: 5, message: 'because' } }, 5]);
  });

  it('does not spin when the connection is lost', () => {
    const { clock, server, driver } = rig();
    server.behaviour = () => ({ afterMs: 0, status: 'UNAVAILABLE', lost: true });
    driver.start({ kind: 'closed', inFlight: 1 });
    clock.advance(1000);
    expect(server.sentAt).toHaveLength(11);
  });
});

describe('an open loop', () => {
  it('sends at its times whatever becomes of the requests', () => {
    const { clock, server, driver, counts } = rig();
    server.behaviour = () => ({ afterMs: 500 });
    driver.start(open(100));
    clock.advance(95);
    expect(server.sentAt).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
    expect(counts()).toMatchObject({ scheduled: 10, delayed: 0, held: 0, latenessMs: 0 });
  });

  it('counts latency from when a request was due: a pause of the server is in all that it held up', () => {
    // One request at a time, 1 ms each, every 10 ms; the sixth takes 100 ms. Counted from its sending, only it were slow.
    const { clock, server, driver, counts } = rig();
    server.behaviour = (number) => ({ afterMs: number === 5 ? 100 : 1 });
    driver.start(open(100, 1));
    clock.advance(200);
    const { latencies, scheduled, held, delayed, sendMs, latenessMaxMs } = counts();
    // Due at 60, 70, … 140 and sent from 150 on, 1 ms apart: latencies of 91, 82, … 19; then one due at 150 of 10.
    expect([scheduled, latencies.count, latencies.max, latenessMaxMs]).toEqual([21, 20, 100, 90]);
    expect(Math.round(latencies.percentile(50))).toBe(10);
    expect(Math.round(latencies.percentile(90))).toBe(82);
    expect([held, delayed]).toEqual([10, 10]);
    expect(sendMs).toBe(90 + 81 + 72 + 63 + 54 + 45 + 36 + 27 + 18 + 9);
  });

  it('has never more in flight than it may', () => {
    const { clock, server, driver, counts } = rig();
    server.behaviour = () => ({ afterMs: 1000 });
    driver.start(open(1000, 7));
    clock.advance(999);
    expect([server.most, server.sentAt.length]).toEqual([7, 7]);
    clock.advance(7);
    expect([server.most, server.sentAt.length]).toEqual([7, 14]);
    expect(counts().held).toBe(7);
  });

  it('sends no more than it was told, and nothing after its stop', async () => {
    const { clock, server, driver } = rig();
    driver.start(open(1000), 5);
    clock.advance(100);
    expect(server.sentAt).toHaveLength(5);
    await driver.stop();
    driver.start(open(1000));
    clock.advance(5);
    const stop = driver.stop();
    const sent = server.sentAt.length;
    clock.advance(100);
    await stop;
    expect([server.sentAt.length, clock.pendingTimers]).toEqual([sent, 0]);
  });

  it('catches up in parts, so that answers are read between', () => {
    const { clock, server, driver } = rig();
    server.behaviour = (number) => ({ afterMs: number === 0 ? 100 : 0 });
    driver.start(open(10_000, 1));
    clock.advance(100);
    server.behaviour = () => ({ afterMs: 50 });
    clock.advance(0);
    expect(server.most).toBe(1);
  });
});

describe('sequences', () => {
  const steps = (bytes: readonly string[]) =>
    bytes.map((text) => {
      const id = text.charCodeAt(text.indexOf('sequence_id') + 'sequence_id'.length + 3);
      const flag = (name: string) => text.charCodeAt(text.indexOf(name) + name.length + 3) === 1;
      return `${id}${flag('sequence_start') ? 's' : ''}${flag('sequence_end') ? 'e' : ''}`;
    });

  it('of a closed loop are one for each request in flight, one after the other, in a lane of their own', () => {
    const { clock, server, driver } = rig({ length: 3, alive: 9 });
    driver.start({ kind: 'closed', inFlight: 2 });
    clock.advance(35);
    expect(steps(server.bytes)).toEqual(['1s', '2s', '1', '2', '1e', '2e', '3s', '4s']);
    expect(server.lanes).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  });

  it('begin anew after a failure', () => {
    const { clock, server, driver } = rig({ length: 3, alive: 1 });
    server.behaviour = (number) => ({ afterMs: 10, ...(number === 1 && { status: 'FAILED_PRECONDITION' }) });
    driver.start({ kind: 'closed', inFlight: 1 });
    clock.advance(25);
    expect(steps(server.bytes)).toEqual(['1s', '1', '2s']);
  });

  it('that are open at the stop are ended', async () => {
    const { clock, server, driver } = rig({ length: 5, alive: 2 });
    driver.start(open(100));
    clock.advance(25);
    const stop = driver.stop();
    for (let turn = 0; turn < 4; turn += 1) {
      clock.advance(10);
      await Promise.resolve();
    }
    await stop;
    expect(steps(server.bytes)).toEqual(['1s', '2s', '1', '1e', '2e']);
  });
});
