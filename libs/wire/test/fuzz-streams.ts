import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { clientPreface, flags, frameTypes } from '../src/http2/frame-types.ts';
import { data, frame, goaway, ping, priority, rstStream, settings, settingsAck, windowUpdate } from './frames.ts';
import { methodNames } from './grpc-side.ts';
import type { MethodName } from './grpc-side.ts';

/** A call as a client that keeps to the protocol makes it. */
export interface CallPlan {
  readonly method: MethodName;
  /** Octets of its messages. */
  readonly messages: readonly number[];
  /** Octets of a DATA frame at most. */
  readonly piece: number;
  readonly padding: number;
  readonly ends: 'with data' | 'by itself' | 'with trailers' | 'with its head' | 'by reset' | 'never';
  readonly timeout: string;
  readonly saysLength: boolean;
  readonly compresses: boolean;
  /** Octets of a header block in its first frame; 0 for all. */
  readonly cutBlock: number;
}

const size = fc.oneof({ weight: 4, arbitrary: fc.nat(40) }, { weight: 1, arbitrary: fc.nat(9000) });

export const callPlan: fc.Arbitrary<CallPlan> = fc.record({
  method: fc.constantFrom(...methodNames),
  messages: fc.oneof(fc.tuple(size), fc.array(size, { maxLength: 3 })),
  piece: fc.constantFrom(9, 100, 16_000),
  padding: fc.constantFrom(0, 0, 0, 1, 255),
  ends: fc.constantFrom('with data', 'with data', 'by itself', 'with trailers', 'with its head', 'by reset', 'never'),
  timeout: fc.constantFrom('', '', '1S', '20m'),
  saysLength: fc.boolean(),
  compresses: fc.constantFrom(false, false, true),
  cutBlock: fc.constantFrom(0, 0, 1, 20),
});

/** What most clients send with every request. */
const repeated = [':path', '/fuzz/Unary', ':authority', 'fuzz', 'content-type', 'application/grpc', 'te', 'trailers'];

/** A message in the form in which it travels. */
export function message(octets: Uint8Array, compressed = false): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = compressed ? 1 : 0;
  prefix.writeUInt32BE(octets.length, 1);
  return Buffer.concat([prefix, octets]);
}

/** The frames of a call, each made when it is its turn: header blocks depend on those before. */
function* framesOf(plan: CallPlan, streamId: number, encoder: HpackEncoder): Generator<Buffer, void> {
  const sizes = plan.ends === 'with its head' ? [] : plan.messages;
  const body = Buffer.concat(
    sizes.map((length, at) => {
      const octets = Buffer.alloc(length, `${streamId}.${at} `);
      return plan.compresses ? message(gzipSync(octets), true) : message(octets);
    }),
  );
  const fields = [':method', 'POST', ':scheme', 'http', ':path', `/fuzz/${plan.method}`, ':authority', 'fuzz'];
  fields.push('content-type', 'application/grpc', 'te', 'trailers', 'x-stream', String(streamId));
  if (plan.compresses) fields.push('grpc-encoding', 'gzip');
  if (plan.timeout !== '') fields.push('grpc-timeout', plan.timeout);
  if (plan.saysLength && plan.ends !== 'by reset') fields.push('content-length', String(body.length));
  yield* head(streamId, Buffer.from(encoder.encode(fields)), plan.ends === 'with its head', plan.cutBlock);
  if (plan.ends === 'with its head') return;
  // A few dozen frames are as good as thousands.
  const piece = Math.max(plan.piece, Math.ceil(body.length / 40));
  for (let at = 0; at < body.length; at += piece) {
    const end = at + piece;
    const last = end >= body.length && plan.ends === 'with data';
    yield dataFrame(streamId, body.subarray(at, end), plan.padding, last);
  }
  if (plan.ends === 'by reset') yield rstStream(streamId);
  else if (plan.ends === 'with trailers')
    yield* head(streamId, Buffer.from(encoder.encode(['x-trailer', 'a'])), true, plan.cutBlock);
  else if (plan.ends === 'by itself' || (plan.ends === 'with data' && body.length === 0))
    yield data(streamId, '', flags.END_STREAM);
}

/** One piece for the mixer, as nothing comes between the frames of a header block. */
export function* head(streamId: number, block: Buffer, ends: boolean, cut: number): Generator<Buffer, void> {
  const endStream = ends ? flags.END_STREAM : 0;
  if (cut === 0 || cut >= block.length) yield frame(frameTypes.HEADERS, flags.END_HEADERS | endStream, streamId, block);
  else
    yield Buffer.concat([
      frame(frameTypes.HEADERS, endStream, streamId, block.subarray(0, cut)),
      frame(frameTypes.CONTINUATION, flags.END_HEADERS, streamId, block.subarray(cut)),
    ]);
}

export function dataFrame(streamId: number, octets: Buffer, padding: number, last: boolean): Buffer {
  const endStream = last ? flags.END_STREAM : 0;
  if (padding === 0 || octets.length > 16_000 - 256) return data(streamId, octets, endStream);
  const padded = Buffer.concat([Buffer.of(padding), octets, Buffer.alloc(padding)]);
  return data(streamId, padded, endStream | flags.PADDED);
}

/** Frames of the connection that may come at any time. */
export const between = fc.oneof(
  fc.constant(ping()),
  fc.constant(settingsAck()),
  fc.constant(priority(5)),
  fc.constant(frame(0x42, 0xff, 3, 'abcdef')),
  fc.constantFrom(1, 100, 50_000).map((increment) => windowUpdate(0, increment)),
  fc
    .tuple(
      fc.constantFrom('0001', '0003', '0004', '0005', '0006', '00aa'),
      fc.constantFrom(0, 100, 16_384, 65_535, 100_000),
    )
    .filter(([id, value]) => id !== '0005' || value >= 16_384)
    .map(([id, value]) => settings(`${id} ${value.toString(16).padStart(8, '0')}`)),
);

/** Octets of a client that keeps to the protocol, frame by frame. @param other frames that come between those of its calls */
export const clientStream = (
  plan: fc.Arbitrary<CallPlan>,
  other: fc.Arbitrary<Buffer>,
): fc.Arbitrary<readonly Buffer[]> =>
  fc
    .record({
      plans: fc.array(plan, { minLength: 1, maxLength: 6 }),
      others: fc.array(other, { maxLength: 6 }),
      picks: fc.array(fc.nat(1000), { maxLength: 60 }),
    })
    .map(({ plans, others, picks }) => {
      const encoder = new HpackEncoder(repeated);
      const calls = plans.map((each, at) => () => framesOf(each, 2 * at + 1, encoder));
      return [clientPreface, settings(), settingsAck(), ...mix(calls, others, picks)];
    });

export const validStream = clientStream(callPlan, between);

/**
 * The frames of all streams, and others in between, in an order that `picks` says.
 * @param streams begun in their order
 */
export function mix(
  streams: readonly (() => Generator<Buffer, void>)[],
  others: readonly Buffer[],
  picks: readonly number[],
): Buffer[] {
  const frames: Buffer[] = [];
  const live: Generator<Buffer, void>[] = [];
  let [opened, other] = [0, 0];
  const step = (at: number): void => {
    const { value, done } = live[at]!.next();
    if (done === true) live.splice(at, 1);
    else frames.push(value);
  };
  // What is begun sends its head at once.
  const open = (): void => step(live.push(streams[opened++]!()) - 1);
  for (const pick of picks) {
    const at = pick % (live.length + 2);
    if (at < live.length) step(at);
    else if (at === live.length && opened < streams.length) open();
    else if (other < others.length) frames.push(others[other++]!);
  }
  while (live.length > 0 || opened < streams.length) {
    if (live.length === 0) open();
    else step(0);
  }
  return frames;
}

/** The same of a client that goes away at some time. */
export const partingStream: fc.Arbitrary<readonly Buffer[]> = fc
  .tuple(validStream, fc.option(fc.nat(40), { freq: 4, nil: undefined }))
  .map(([frames, at]) => (at === undefined ? frames : frames.toSpliced(3 + at, 0, goaway())));

export interface Mutation {
  readonly kind: 'flip' | 'set' | 'insert' | 'delete' | 'duplicate' | 'truncate' | 'swap';
  readonly at: number;
  readonly length: number;
  readonly value: number;
}

const most = 1 << 20;
export const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'flip', 'set', 'set', 'insert', 'delete', 'duplicate', 'truncate', 'swap'),
  at: fc.nat(most),
  length: fc.oneof(fc.constantFrom(1, 4, 9), fc.nat(100)),
  value: fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0x7f, 0x80, 0xff), fc.nat(255)),
});

/** Octets that were damaged on their way. */
export function mutate(octets: Buffer, { kind, at: place, length, value }: Mutation): Buffer {
  // Most of the time behind the preface and both SETTINGS: without them all ends at once.
  const least = place % 10 === 0 ? 0 : Math.min(octets.length, 42);
  const at = least + (place % (octets.length + 1 - least));
  const end = Math.min(octets.length, at + length);
  const [before, piece, after] = [octets.subarray(0, at), octets.subarray(at, end), octets.subarray(end)];
  switch (kind) {
    case 'flip': {
      const flipped = Buffer.from(octets);
      if (at < flipped.length) flipped[at]! ^= 1 << (value & 7);
      return flipped;
    }
    case 'set': {
      const set = Buffer.from(octets);
      if (at < set.length) set[at] = value;
      return set;
    }
    case 'insert':
      return Buffer.concat([before, Buffer.alloc(length, value), piece, after]);
    case 'delete':
      return Buffer.concat([before, after]);
    case 'duplicate':
      return Buffer.concat([before, piece, piece, after]);
    case 'truncate':
      return before;
    case 'swap':
      return Buffer.concat([before, after.subarray(0, length), piece, after.subarray(length)]);
  }
}

/** Where octets are cut: a few sizes in turn, octet by octet among them. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([most]),
  fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3000 })), {
    minLength: 1,
    maxLength: 5,
  }),
);

/** Small pieces a few hundred times, and then larger ones, for time. */
export function* cutAt(octets: Buffer, sizes: readonly number[]): Generator<Buffer, void> {
  for (let at = 0, turn = 0; at < octets.length; turn++) {
    const size = sizes[turn % sizes.length]! * (turn < 200 ? 1 : 50);
    const end = Math.min(octets.length, at + size);
    yield octets.subarray(at, end);
    at = end;
  }
}
