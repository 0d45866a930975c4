import fc from 'fast-check';
import { HpackEncoder } from '../src/hpack/encoder.ts';
import { frameTypes } from '../src/http2/frame-types.ts';
import { frame, rstStream, settings, windowUpdate } from './frames.ts';
import { head, message } from './fuzz-streams.ts';
import { methodNames } from './grpc-side.ts';
import type { GrpcSide, MethodName } from './grpc-side.ts';

/** Which stream is meant: a new one, one of those that were opened last, or just a number. */
interface Which {
  readonly of: 'next' | 'recent' | 'number';
  readonly number: number;
}

/** A piece of a header block. */
export type HpackPiece =
  | { readonly indexed: number }
  | { readonly prefix: number; readonly name: string | number; readonly value: string; readonly huffman: boolean }
  | { readonly size: number }
  | { readonly octets: Uint8Array };

type FrameStep =
  | {
      readonly do: 'request';
      readonly method: MethodName;
      readonly ends: boolean;
      readonly inPieces: boolean;
      readonly field: string;
      readonly value: string;
    }
  | { readonly do: 'head'; readonly which: Which; readonly flag: number; readonly pieces: readonly HpackPiece[] }
  | {
      readonly do: 'data';
      readonly which: Which;
      readonly flag: number;
      readonly sizes: readonly number[];
      readonly cut: number;
    }
  | { readonly do: 'settings'; readonly flag: number; readonly entries: readonly (readonly [number, number])[] }
  | { readonly do: 'window' | 'reset'; readonly which: Which; readonly value: number }
  | {
      readonly do: 'any';
      readonly which: Which;
      readonly type: number;
      readonly flag: number;
      readonly octets: Uint8Array;
      readonly lie: number;
    };

/** Frames, and what else happens to a connection. A frame that `joins` is in one chunk with the next. */
export type Step =
  | (FrameStep & { readonly joins: boolean })
  | { readonly do: 'hold' | 'release' | 'go on' | 'announce' | 'drain' | 'close' }
  | { readonly do: 'wait'; readonly ms: number };

const which: fc.Arbitrary<Which> = fc.record({
  of: fc.oneof(
    { weight: 30, arbitrary: fc.constant('recent' as const) },
    { weight: 1, arbitrary: fc.constantFrom('next' as const, 'number' as const) },
  ),
  number: fc.oneof(fc.nat(12), fc.constantFrom(0, 0x7fff_ffff, 0x8000_0001)),
});
const flag = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 1, 4, 5) }, { weight: 1, arbitrary: fc.nat(255) });
const octets = fc.uint8Array({ maxLength: 20 });
const number = fc.constantFrom(
  0,
  1,
  2,
  31,
  100,
  4096,
  16_383,
  16_384,
  65_535,
  65_536,
  1 << 24,
  0x7fff_ffff,
  0x8000_0000,
  0xffff_ffff,
);
const piece: fc.Arbitrary<HpackPiece> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ indexed: fc.oneof(fc.integer({ min: 1, max: 61 }), fc.nat(70)) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      prefix: fc.constantFrom(0x40, 0x40, 0x00, 0x10),
      name: fc.oneof(
        fc.constantFrom('a', 'x-b', 'te', 'grpc-timeout', 'content-length', ':path', 'Up', ''),
        fc.nat(64),
      ),
      value: fc.oneof(fc.constantFrom('', '0', '/fuzz/Unary', '\0', '1S'), fc.string({ maxLength: 12 })),
      huffman: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ size: fc.constantFrom(0, 50, 4096, 4097) }) },
  { weight: 1, arbitrary: fc.record({ octets }) },
);

const frameStep: fc.Arbitrary<FrameStep> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      method: fc.constantFrom(...methodNames),
      ends: fc.boolean(),
      inPieces: fc.constantFrom(false, false, false, true),
      field: fc.constantFrom('', '', '', 'grpc-timeout', 'content-length', 'grpc-encoding', 'connection', 'X', 'te'),
      value: fc.constantFrom('1S', '5', '0', 'gzip', 'deflate', ''),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('head' as const), which, flag, pieces: fc.array(piece, { maxLength: 5 }) }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      ...{ do: fc.constant('data' as const), which, flag: fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 0xf7, 8, 9) },
      sizes: fc.array(fc.oneof(fc.nat(20), fc.nat(8000)), { maxLength: 3 }),
      cut: fc.constantFrom(0, 0, 0, 1, 6, 100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('settings' as const),
      flag: fc.constantFrom(0, 0, 0, 1),
      entries: fc.array(fc.tuple(fc.nat(7), number), { maxLength: 3 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('window' as const),
      which,
      value: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom(1, 100, 5000, 70_000) },
        { weight: 1, arbitrary: number },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('reset' as const), which, value: number }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('any' as const),
      which,
      type: fc.nat(10),
      flag,
      octets,
      lie: fc.constantFrom(0, 0, 0, -1, 1, 20_000),
    }),
  },
);

/** What a client with no manners sends, and what befalls the server meanwhile. */
export const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.tuple(frameStep, fc.boolean()).map(([step, joins]) => ({ ...step, joins })) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('hold' as const, 'release' as const, 'go on' as const) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 1000, 10_000, 60_000) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constantFrom('go on' as const, 'announce' as const, 'drain' as const, 'close' as const),
      }),
    },
  ),
  { maxLength: 40 },
);

/** Makes octets of steps: it knows which streams there may be. */
export class Careless {
  readonly #encoder = new HpackEncoder([]);
  #next = 1;

  bytes(step: FrameStep): Buffer {
    // Nothing was opened that could be meant.
    if ('which' in step && step.which.of === 'recent' && this.#next === 1)
      return Buffer.concat([this.#opening('Echo', '', ''), this.bytes(step)]);
    switch (step.do) {
      case 'request':
        return this.#opening(step.method, step.field, step.value, step.ends, step.inPieces);
      case 'head':
        return frame(frameTypes.HEADERS, step.flag, this.#id(step.which), blockOf(step.pieces));
      case 'data': {
        const whole = Buffer.concat(step.sizes.map((length) => message(Buffer.alloc(length, length % 251))));
        const payload = whole.subarray(0, Math.max(0, whole.length - step.cut)).subarray(0, 16_384);
        return frame(frameTypes.DATA, step.flag, this.#id(step.which), payload);
      }
      case 'settings':
        return step.flag === 1 ? frame(frameTypes.SETTINGS, 1, 0) : settings(settingsOf(step.entries));
      case 'window':
        return windowUpdate(this.#id(step.which), step.value);
      case 'reset':
        return rstStream(this.#id(step.which), step.value);
      case 'any': {
        const bytes = frame(step.type, step.flag, this.#id(step.which), step.octets);
        bytes.writeUIntBE(Math.max(0, step.octets.length + step.lie), 0, 3);
        return bytes;
      }
    }
  }

  #new(): number {
    const id = this.#next;
    this.#next += 2;
    return id;
  }

  #id({ of, number: n }: Which): number {
    if (of === 'number') return n;
    if (of === 'next') return this.#new();
    const opened = (this.#next - 1) / 2;
    return this.#next - 2 - 2 * (n % Math.min(4, opened));
  }

  #opening(method: MethodName, field: string, value: string, ends = false, inPieces = false): Buffer {
    return Buffer.concat([...head(this.#new(), this.#request(method, field, value), ends, inPieces ? 10 : 0)]);
  }

  #request(method: MethodName, field: string, value: string): Buffer {
    const fields = [
      ':method',
      'POST',
      ':scheme',
      'http',
      ':path',
      `/fuzz/${method}`,
      'content-type',
      'application/grpc',
    ];
    return Buffer.from(this.#encoder.encode(field === '' ? fields : [...fields, field, value]));
  }
}

const settingsOf = (entries: readonly (readonly [number, number])[]): string =>
  entries.map(([id, value]) => id.toString(16).padStart(4, '0') + value.toString(16).padStart(8, '0')).join('');

export function blockOf(pieces: readonly HpackPiece[]): Buffer {
  return Buffer.concat(
    pieces.map((each) => {
      if ('indexed' in each) return integer(0x80, 7, each.indexed);
      if ('size' in each) return integer(0x20, 5, each.size);
      if ('octets' in each) return each.octets;
      const { prefix, name, value, huffman } = each;
      const bits = prefix === 0x40 ? 6 : 4;
      const named =
        typeof name === 'number'
          ? integer(prefix, bits, name)
          : Buffer.concat([integer(prefix, bits, 0), string(name, false)]);
      return Buffer.concat([named, string(value, huffman)]);
    }),
  );
}

function integer(pattern: number, bits: number, value: number): Buffer {
  const mask = (1 << bits) - 1;
  if (value < mask) return Buffer.of(pattern | value);
  const out = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) out.push((rest & 0x7f) | 0x80);
  return Buffer.from([...out, rest]);
}

/** @param huffman it says that it is coded, which it seldom is */
function string(text: string, huffman: boolean): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([integer(huffman ? 0x80 : 0, 7, bytes.length), bytes]);
}

/** Does the steps to a connection, one after the other. */
export function play(side: GrpcSide, all: readonly Step[]): void {
  const careless = new Careless();
  let pending: Buffer[] = [];
  const flush = (): void => {
    if (pending.length > 0) side.feed(Buffer.concat(pending));
    pending = [];
  };
  for (const step of all) {
    if ('joins' in step) {
      pending.push(careless.bytes(step));
      if (!step.joins) flush();
      continue;
    }
    flush();
    befall(side, step);
  }
  flush();
}

function befall(side: GrpcSide, step: Exclude<Step, FrameStep>): void {
  const { connection, port, clock } = side;
  switch (step.do) {
    case 'hold':
      port.holds = true;
      return;
    case 'release':
      port.holds = false;
      break;
    case 'go on':
      side.goOn();
      return;
    case 'wait':
      clock.advance(step.ms);
      connection.tick();
      break;
    case 'announce':
      connection.announceDrain();
      break;
    case 'drain':
      connection.drain();
      break;
    case 'close':
      connection.close();
  }
  side.check();
}
