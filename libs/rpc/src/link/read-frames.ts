import {
  LinkFault,
  decodeHello,
  decodePairs,
  frameHead,
  frameTypes,
  noDeadline,
  readEnvelope,
  readFacts,
  withFacts,
} from './frames.ts';
import type { Hello, MessageHead, MessageType } from './frames.ts';

/** Told of the frames of a message, in their order. */
export interface FrameSink {
  hello(hello: Hello): void;
  /** @param size what the frame takes of the window */
  begin(head: MessageHead, bytes: Buffer, size: number): void;
  chunk(call: number, bytes: Buffer, size: number): void;
  cancel(call: number, late: boolean): void;
  ping(id: number): void;
  pong(id: number): void;
  window(bytes: number): void;
  goaway(): void;
}

/**
 * Reads the frames of one gRPC message. Bytes that it gives are views of the message, not copies.
 *
 * @throws LinkFault at the first thing that is no frame of ours; those before it have been told
 */
export function readFrames(message: Buffer, maxFrameBytes: number, sink: FrameSink): void {
  let at = readEnvelope(message);
  while (at < message.length) {
    if (message.length - at < frameHead) throw new LinkFault('a message that ends within a frame');
    const type = message[at]!;
    const length = message.readUInt32LE(at + 1);
    const body = at + frameHead;
    if (length + frameHead > maxFrameBytes) throw new LinkFault(`a frame of ${length} bytes`);
    const end = body + length;
    if (end > message.length) throw new LinkFault('a message that ends within a frame');
    readFrame(type, message, body, end, sink);
    at = end;
  }
}

function readFrame(type: number, bytes: Buffer, from: number, end: number, sink: FrameSink): void {
  switch (type) {
    case frameTypes.REQUEST:
    case frameTypes.ANSWER:
    case frameTypes.FAILURE:
      readBegin(type, bytes, from, end, sink);
      return;
    case frameTypes.CHUNK:
      atLeast(type, end - from, 5);
      sink.chunk(bytes.readUInt32LE(from), bytes.subarray(from + 4, end), end - from + frameHead);
      return;
    case frameTypes.HELLO:
      sink.hello(decodeHello(bytes, from, end));
      return;
    case frameTypes.CANCEL:
      atLeast(type, end - from, 8);
      sink.cancel(bytes.readUInt32LE(from), bytes.readUInt32LE(from + 4) !== 0);
      return;
    case frameTypes.PING:
      atLeast(type, end - from, 4);
      sink.ping(bytes.readUInt32LE(from));
      return;
    case frameTypes.PONG:
      atLeast(type, end - from, 4);
      sink.pong(bytes.readUInt32LE(from));
      return;
    case frameTypes.WINDOW:
      atLeast(type, end - from, 4);
      sink.window(bytes.readUInt32LE(from));
      return;
    case frameTypes.GOAWAY:
      sink.goaway();
      return;
    default:
      throw new LinkFault(`a frame of the unknown type ${type}`);
  }
}

function readBegin(type: MessageType, bytes: Buffer, from: number, end: number, sink: FrameSink): void {
  const isRequest = type === frameTypes.REQUEST;
  const fixed = isRequest ? 13 : 9;
  atLeast(type, end - from, fixed);
  const code = bytes[from + 4]!;
  const { pairs, next: pairsEnd } = decodePairs(bytes, from + fixed, end);
  // Of a REQUEST it is the place of a method, which may be any byte.
  const facts = !isRequest && code >= withFacts ? readFacts(bytes, pairsEnd, end) : undefined;
  const next = facts === undefined ? pairsEnd : pairsEnd + 1 + facts.length;
  const total = bytes.readUInt32LE(from + 5);
  if (end - next > total) throw new LinkFault(`a message of ${end - next} bytes that was said to have ${total}`);
  // Without this, a message could arrive in any number of frames that bring nothing.
  if (end - next === 0 && total > 0) throw new LinkFault('a message that begins without a byte');
  const head = {
    type,
    call: bytes.readUInt32LE(from),
    code: facts === undefined ? code : code - withFacts,
    total,
    timeLeftMs: isRequest ? bytes.readUInt32LE(from + 9) : noDeadline,
    pairs,
    facts,
  };
  sink.begin(head, bytes.subarray(next, end), end - from + frameHead);
}

function atLeast(type: number, length: number, least: number): void {
  if (length < least) throw new LinkFault(`a frame of type ${type} with ${length} bytes`);
}
