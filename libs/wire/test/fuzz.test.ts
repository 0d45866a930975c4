import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ClientSide } from './client-side.ts';
import { answers } from './fuzz-answers.ts';
import { GrpcSide } from './grpc-side.ts';
import type { GrpcSideOptions } from './grpc-side.ts';
import { hello, settingsAck } from './frames.ts';
import { cutAt, cuts, mutate, mutation, partingStream, validStream } from './fuzz-streams.ts';
import { play, steps } from './fuzz-steps.ts';
import { fewerRuns } from './property-runs.ts';

/** Small windows, so that they matter, and little memory. */
const tight: GrpcSideOptions = {
  limits: { streamWindow: 40_000, connectionWindow: 100_000, maxConcurrentStreams: 4 },
  maxRequestOctets: 20_000,
  maxBuffered: 25_000,
};
/** Enough for all that a valid stream has. */
const ample: GrpcSideOptions = { limits: { connectionWindow: 262_144 }, maxBuffered: 1 << 24 };

/** As a server is: what it does at the end of a turn is done before the next property is tried. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tries a property so often that the loop of events has to have its turn meanwhile. */
async function hold<Values extends [unknown, ...unknown[]]>(
  arbitraries: { [At in keyof Values]: fc.Arbitrary<Values[At]> },
  predicate: (...values: Values) => void,
  part = 1,
): Promise<void> {
  let count = 0;
  const property = fc.asyncProperty(...arbitraries, async (...values: Values) => {
    if (count++ % 50 === 0) await turn();
    predicate(...values);
  });
  await fc.assert(property, fewerRuns(part));
}

/** What came of a stream of octets, but for what may depend on how it was cut: the order in which streams have their turns. */
function outcome(side: GrpcSide): unknown {
  const { peer, records, over, port } = side;
  const streams = [...peer.streams].sort(([one], [other]) => one - other);
  return {
    streams: streams.map(([id, { state, status, data, trailers, resetCode }]) => ({
      ...{ id, state, status, trailers, resetCode },
      data: Buffer.concat(data).toString('latin1'),
    })),
    calls: records.map(({ streamId, messages, halfClosed, cancelled }) => [
      streamId,
      messages.length,
      halfClosed,
      cancelled,
    ]),
    ...{ goaways: peer.goaways, settingsAcks: peer.settingsAcks, pongs: peer.pongs },
    over: over?.error?.message ?? over,
    ended: port.ended,
  };
}

function outcomeOf(octets: Buffer, sizes: readonly number[], options: GrpcSideOptions): unknown {
  const side = new GrpcSide(options);
  for (const chunk of cutAt(octets, sizes)) side.feed(chunk);
  side.goOn();
  const result = outcome(side);
  side.finish();
  return result;
}

describe('a server connection', () => {
  it('takes a valid stream, and nothing of it is an error', () =>
    hold([validStream], (frames) => {
      const side = new GrpcSide(ample);
      for (const frame of frames) side.feed(frame);
      expect(side.over).toBeUndefined();
      side.finish();
      const { needlessResets, streams } = side.peer;
      const needless = needlessResets.filter((id) => streams.get(id)!.grpcStatus === '0');
      expect([side.peer.goaways, needless]).toEqual([[], []]);
    }));

  it('makes the same of octets however they are cut, valid or damaged', () =>
    hold([partingStream, fc.array(mutation, { maxLength: 2 }), cuts], (frames, mutations, sizes) => {
      const octets = mutations.reduce(mutate, Buffer.concat(frames));
      expect(outcomeOf(octets, sizes, ample)).toEqual(outcomeOf(octets, [octets.length + 1], ample));
    }));

  it('keeps to the protocol whatever is done to the octets of its client', () =>
    hold([partingStream, fc.array(mutation, { minLength: 1, maxLength: 6 }), cuts], (frames, mutations, sizes) => {
      const octets = mutations.reduce(mutate, Buffer.concat(frames));
      const side = new GrpcSide(tight);
      for (const chunk of cutAt(octets, sizes)) side.feed(chunk);
      side.finish();
    }));

  it('keeps to the protocol whatever frames come, and whatever befalls it', () =>
    hold([steps], (all) => {
      const side = new GrpcSide(tight);
      side.feed(Buffer.concat([hello(), settingsAck()]));
      play(side, all);
      side.finish();
    }));
});

describe('a client connection', () => {
  it('takes valid answers, and nothing of them is an error', () =>
    hold([answers], ({ bodies, frames }) => {
      const side = new ClientSide(bodies);
      for (const frame of frames) side.feed(frame);
      expect(side.over?.error).toBeUndefined();
      side.finish();
    }));

  it('makes the same of octets however they are cut, valid or damaged', () =>
    hold([answers, fc.array(mutation, { maxLength: 2 }), cuts], ({ bodies, frames }, mutations, sizes) => {
      const octets = mutations.reduce(mutate, Buffer.concat(frames));
      const [inPieces, atOnce] = [sizes, [octets.length + 1]].map((of) => {
        const side = new ClientSide(bodies);
        for (const chunk of cutAt(octets, of)) side.feed(chunk);
        const seen = side.sinks.map(({ heads, octets: got, hasEnded, abortedWith }) => ({
          ...{ heads, hasEnded, abortedWith },
          data: Buffer.concat(got).toString('latin1'),
        }));
        const result = { seen, goaways: side.peer.goaways, over: side.over?.error?.message ?? side.over };
        side.finish();
        return result;
      });
      expect(inPieces).toEqual(atOnce);
    }));

  it('keeps to the protocol whatever is done to the octets of its server', () =>
    hold(
      [answers, fc.array(mutation, { minLength: 1, maxLength: 6 }), cuts],
      ({ bodies, frames }, mutations, sizes) => {
        const octets = mutations.reduce(mutate, Buffer.concat(frames));
        const side = new ClientSide(bodies, { streamWindow: 40_000, connectionWindow: 100_000 });
        for (const chunk of cutAt(octets, sizes)) side.feed(chunk);
        side.finish();
      },
    ));
});
