import { SluiceError } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { chunkOf, frame, framesOf, helloOf, message, pairs, typesOf, u32, u8 } from '../../test/link-frames.ts';
import { Wires, method, settled } from '../../test/link-wires.ts';
import type { RawUnaryHandler } from '../handlers.ts';

const small = Buffer.from('a request');
const facts = Buffer.from([0, 7, 255]);

/** A link that stands, and whose handler says these facts of each call before it answers. */
function says(octets: Uint8Array, then: RawUnaryHandler = (bytes, call) => call.respond(bytes)): Wires {
  const wires = new Wires({
    handler: (bytes, call) => {
      call.setFacts?.(octets);
      return then(bytes, call);
    },
  });
  return wires;
}

function opened(wires: Wires): Wires {
  wires.open();
  wires.sent.toClient.length = 0;
  return wires;
}

/** The HELLO of a side as it is replaced. */
function hello(wires: Wires, from: 'toServer' | 'toClient', bytes: Buffer): void {
  wires.mangle = (each, to) => (to === from && typesOf([each])[0] === 1 ? message(bytes) : each);
}

describe('facts', () => {
  it('stand behind the trailers of an ANSWER, whose 0 is 128 then', async () => {
    const wires = opened(
      says(facts, (bytes, call) => {
        call.setTrailer('sluice-prediction-id', 'p1');
        call.respond(bytes);
      }),
    );
    const outcome = wires.call(small);
    wires.pump();
    const trailers = pairs({ 'sluice-prediction-id': 'p1' });
    expect(wires.sent.toClient).toEqual([message(frame(4, u32(1), u8(128), u32(9), trailers, u8(3), facts, small))]);
    const got = await outcome;
    expect([got.facts, got.message, got.trailer('sluice-prediction-id')]).toEqual([facts, small, 'p1']);
  });

  it('stand behind the trailers of a FAILURE, and 128 is added to its status', async () => {
    const wires = opened(says(facts, (_bytes, call) => call.fail(new SluiceError('not-found', 'no such model'))));
    const outcome = wires.call(small);
    wires.pump();
    const [trailers, text] = [pairs({ 'sluice-kind': 'not-found' }), Buffer.from('no such model')];
    expect(wires.sent.toClient).toEqual([
      message(frame(5, u32(1), u8(133), u32(text.length), trailers, u8(3), facts, text)),
    ]);
    const got = await outcome;
    expect(got.error).toMatchObject({ kind: 'not-found', origin: 'answered', message: 'no such model' });
    expect(got.facts).toEqual(facts);
  });

  it.each([
    ['is of a program before them', helloOf(1)],
    ['has flags without them', Buffer.concat([helloOf(1), u8(0xfe)])],
  ])('are not said to a client whose HELLO %s', async (_what, bytes) => {
    const wires = says(facts);
    // Its length is in its head.
    bytes.writeUInt32LE(bytes.length - 5, 1);
    hello(wires, 'toServer', bytes);
    opened(wires);
    const outcome = wires.call(small);
    wires.pump();
    expect(wires.sent.toClient).toEqual([message(frame(4, u32(1), u8(0), u32(9), pairs(), small))]);
    expect((await outcome).facts).toBeUndefined();
    expect(wires.got[0]!.call.takesFacts).toBe(false);
  });

  it('are absent where the server knows nothing of them', async () => {
    const wires = new Wires({ handler: (bytes, call) => call.respond(bytes) });
    hello(wires, 'toClient', helloOf(1, [method]));
    opened(wires);
    const outcome = wires.call(small);
    wires.pump();
    const got = await outcome;
    expect([got.facts, got.message]).toEqual([undefined, small]);
  });

  it('are what was in the memory when the call was answered, and that may be used again then', async () => {
    const memory = Buffer.from([1, 1]);
    const wires = opened(
      says(memory, (bytes, call) => {
        memory.fill(bytes[0]!);
        call.respond(bytes);
        memory.fill(0xee);
      }),
    );
    const outcomes = [5, 6].map((byte) => wires.call(u8(byte)));
    wires.pump();
    expect((await Promise.all(outcomes)).map((outcome) => outcome.facts)).toEqual([u8(5, 5), u8(6, 6)]);
  });

  it('have at most 255 bytes: one more is an error of the handler', async () => {
    for (const length of [0, 255]) {
      const wires = opened(says(Buffer.alloc(length, 9)));
      const outcome = wires.call(small);
      wires.pump();
      expect((await outcome).facts).toEqual(Buffer.alloc(length, 9));
    }
    const wires = opened(says(Buffer.alloc(256)));
    const outcome = wires.call(small);
    wires.pump();
    const { error, facts: none } = await outcome;
    expect([error?.kind, none]).toEqual(['internal', undefined]);
    expect(wires.lines).toContainEqual(
      expect.objectContaining({ cause: new RangeError('facts of 256 bytes, at most 255 are allowed') }),
    );
  });

  it('come with the first frame of an answer in chunks', async () => {
    const large = Buffer.alloc(131_072 + 5, 'large');
    const wires = opened(says(facts, (_bytes, call) => call.respond(large)));
    const outcome = wires.call(small);
    wires.pump();
    const [head, tail] = [large.subarray(0, 131_072), large.subarray(131_072)];
    const first = frame(4, u32(1), u8(128), u32(large.length), pairs(), u8(3), facts, head);
    expect(framesOf(wires.sent.toClient)).toEqual([first, chunkOf(1, tail)]);
    const got = await outcome;
    expect([got.facts, got.message?.equals(large)]).toEqual([facts, true]);
  });

  it.each([
    ['are cut off', frame(4, u32(1), u8(128), u32(0), pairs(), u8(3), u8(1, 2))],
    ['have no length', frame(5, u32(1), u8(128), u32(0), pairs())],
  ])('that %s end the link', async (_what, bytes) => {
    const wires = opened(new Wires());
    const outcome = wires.call(small);
    wires.pump();
    wires.events!.message(message(bytes));
    expect((await outcome).error?.origin).toBe('lost');
    const reason = 'a frame that ends within its facts';
    expect(wires.lines).toContainEqual(expect.objectContaining({ reason: expect.stringContaining(reason) as string }));
  });

  it('are absent from what the client itself says of a call', async () => {
    const wires = opened(says(facts, () => undefined));
    const [late, given] = [wires.call(small, { deadlineMs: wires.clock.now() + 10 }), wires.call(small)];
    const lost = wires.call(small);
    wires.pump();
    wires.clock.advance(10);
    given.call.cancel();
    wires.pump();
    wires.events!.ended({ code: 14, details: 'read ECONNRESET', trailers: {} });
    await settled();
    const outcomes = await Promise.all([late, given, lost]);
    expect(outcomes.map(({ error, facts: said }) => [error?.origin, said])).toEqual([
      ['local', undefined],
      ['local', undefined],
      ['lost', undefined],
    ]);
  });

  it('of a REQUEST are none: 128 and more are places of methods there', () => {
    const wires = opened(new Wires());
    wires.server!.receive(message(frame(2, u32(9), u8(128), u32(0, 0xffff_ffff), pairs())));
    expect(wires.lines).toContainEqual(
      expect.objectContaining({ reason: 'a call of method 128, which was not offered' }),
    );
  });
});
