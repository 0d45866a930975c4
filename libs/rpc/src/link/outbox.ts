import {
  chunkHead,
  envelopeBytes,
  frameHead,
  frameTypes,
  messageHead,
  noDeadline,
  numberFrame,
  writeEnvelope,
} from './frames.ts';
import type { Hello, MessageType } from './frames.ts';
import { LinkedList } from '@sluice/wire/linked-list';
import type { ListEntry } from '@sluice/wire/linked-list';

const noTail = new Uint8Array(0);

/** A message on its way out; it goes as one frame or in chunks. */
export class Outgoing {
  readonly type: MessageType;
  readonly call: number;
  readonly code: number;
  /** Pairs as bytes, and facts behind them where the code says so. */
  readonly pairs: Uint8Array;
  readonly payload: Uint8Array;
  /** What follows the payload: part of the message, and joined with it where both are copied. */
  readonly tail: Uint8Array;
  /** Bytes of both. */
  readonly length: number;
  /** `Clock.monotonic()` when the caller gives up; Infinity for never. */
  readonly deadlineAt: number;
  /** Some of it was given to the transport. */
  begun = false;
  /** Bytes of the message that were given to the transport. */
  sent = 0;
  /** Where it waits; only `Outbox` writes it. */
  place: ListEntry<Outgoing> | undefined;

  constructor(
    type: MessageType,
    call: number,
    code: number,
    pairs: Uint8Array,
    payload: Uint8Array,
    deadlineAt = Infinity,
    tail: Uint8Array = noTail,
  ) {
    this.type = type;
    this.call = call;
    this.code = code;
    this.pairs = pairs;
    this.payload = payload;
    this.tail = tail;
    this.length = payload.length + tail.length;
    this.deadlineAt = deadlineAt;
  }
}

export interface OutboxOptions {
  /** Payload bytes of one frame; larger messages go in chunks. */
  readonly chunkBytes: number;
  /** A gRPC message takes no further frame once it has so many bytes. */
  readonly batchBytes: number;
  readonly monotonic: () => number;
  /** Runs the function at the end of this turn of the event loop. */
  readonly defer: (fn: () => void) => void;
  /** Sends one gRPC message; not called again before `sent` was. */
  readonly send: (message: Buffer, sent: () => void) => void;
  /** Told after every message that left. */
  readonly onSent: () => void;
}

/** What a message costs beside its bytes while it waits. */
export const bytesBesidePayload = 256;

/**
 * What waits to be sent on one side of a link. Frames of one turn of the event loop, and those that come up while a
 * message is under way, leave as one message. Small messages go in the order in which they came; larger ones go in chunks, in
 * turn, and have half of every batch while both wait. Nothing but control frames leaves without credit of the peer.
 */
export class Outbox {
  /** Bytes of payloads that have not left, and a little for each. */
  waitingBytes = 0;
  readonly #options: OutboxOptions;
  #control: Buffer[] = [];
  #giveBack = 0;
  readonly #small = new LinkedList<Outgoing>();
  /** Large messages that have not begun. */
  readonly #large = new LinkedList<Outgoing>();
  /** Large messages that go out in turn. */
  readonly #moving = new LinkedList<Outgoing>();
  #movingBytes = 0;
  #credit = 0;
  #maxPartialBytes = 0;
  #scheduled = false;
  #sending = false;
  #closed = false;
  // The batch that is being put together: what each frame is of, and which bytes of its payload it has, from and to.
  #items: (Outgoing | Buffer)[] = [];
  #ranges: number[] = [];

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** The peer said what it takes: messages may leave. */
  open(peer: Pick<Hello, 'windowBytes' | 'maxPartialBytes'>): void {
    this.#credit = peer.windowBytes;
    this.#maxPartialBytes = peer.maxPartialBytes;
    this.#schedule();
  }

  add(message: Outgoing): void {
    if (this.#closed) return;
    this.waitingBytes += message.length + bytesBesidePayload;
    message.place = (message.length > this.#options.chunkBytes ? this.#large : this.#small).add(message);
    this.#schedule();
  }

  /** Takes a message out, or what is left of it. Nothing happens when it has left. */
  drop(message: Outgoing): void {
    const { place } = message;
    if (this.#moving.remove(place)) this.#movingBytes -= message.length;
    else if (!this.#small.remove(place) && !this.#large.remove(place)) return;
    this.waitingBytes -= message.length - message.sent + bytesBesidePayload;
  }

  /** Takes out what is left of the large message of a call. Small ones have left or are about to. */
  dropLarge(call: number): void {
    for (const lane of [this.#large, this.#moving])
      for (const message of lane) if (message.call === call) this.drop(message);
  }

  /** A frame that needs no credit and overtakes all that do. */
  control(frame: Buffer): void {
    if (this.#closed) return;
    this.#control.push(frame);
    this.#schedule();
  }

  /** The peer may send so many bytes more. */
  giveBack(bytes: number): void {
    this.#giveBack += bytes;
    this.#schedule();
  }

  /** This side may send so many bytes more. */
  credit(bytes: number): void {
    this.#credit += bytes;
    this.#schedule();
  }

  /** Sends what may leave now, without waiting for the turn to end. */
  flush(): void {
    if (this.#sending || this.#closed) return;
    const size = this.#fill();
    if (size === 0) return;
    const message = this.#write(size);
    this.#sending = true;
    this.#options.send(message, () => {
      this.#sending = false;
      if (this.#closed) return;
      this.#options.onSent();
      this.flush();
    });
  }

  /** Sends all but large messages at once, whether or not the peer gave credit for it: nothing is sent after it. */
  flushSmall(): void {
    if (this.#closed) return;
    this.#credit = Infinity;
    for (;;) {
      const size = this.#fillSmall(this.#fillControl(), this.#options.batchBytes);
      if (size === 0) return;
      this.#options.send(this.#write(size), () => undefined);
    }
  }

  /** Nothing leaves any more, and nothing is held. */
  close(): void {
    this.#closed = true;
    this.#control = [];
    for (const lane of [this.#small, this.#large, this.#moving]) lane.clear();
    this.waitingBytes = 0;
    this.#giveBack = 0;
  }

  #schedule(): void {
    if (this.#scheduled || this.#sending || this.#closed) return;
    this.#scheduled = true;
    this.#options.defer(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Decides what the next batch has. @returns its bytes */
  #fill(): number {
    const { batchBytes } = this.#options;
    let size = this.#fillControl();
    const share = this.#moving.size + this.#large.size > 0 ? batchBytes / 2 : batchBytes;
    size = this.#fillSmall(size, share);
    size = this.#fillChunks(size, batchBytes);
    return this.#fillSmall(size, batchBytes);
  }

  #fillControl(): number {
    if (this.#giveBack > 0) this.#control.push(numberFrame(frameTypes.WINDOW, this.#giveBack));
    this.#giveBack = 0;
    let size = 0;
    let taken = 0;
    while (taken < this.#control.length && size < this.#options.batchBytes) {
      const frame = this.#control[taken++]!;
      this.#put(frame, 0, frame.length);
      size += frame.length;
    }
    if (taken > 0) this.#control = this.#control.slice(taken);
    return size;
  }

  #fillSmall(size: number, limit: number): number {
    let filled = size;
    while (this.#credit > 0 && filled < limit) {
      const message = this.#small.first;
      if (message === undefined) break;
      this.#small.remove(message.place);
      filled += this.#take(message, message.length);
    }
    return filled;
  }

  #fillChunks(size: number, limit: number): number {
    let filled = size;
    while (this.#credit > 0 && filled < limit) {
      const message = this.#nextLarge();
      if (message === undefined) break;
      const count = Math.min(this.#options.chunkBytes, message.length - message.sent);
      filled += this.#take(message, count);
      // To the end of the row, or out of it.
      this.#moving.remove(message.place);
      if (message.sent < message.length) message.place = this.#moving.add(message);
      else this.#movingBytes -= message.length;
    }
    return filled;
  }

  /** The large message whose turn it is; as many move as the peer puts together at once. */
  #nextLarge(): Outgoing | undefined {
    for (const message of this.#large) {
      if (this.#moving.size > 0 && this.#movingBytes + message.length > this.#maxPartialBytes) break;
      this.#large.remove(message.place);
      message.place = this.#moving.add(message);
      this.#movingBytes += message.length;
    }
    return this.#moving.first;
  }

  /** Puts the next bytes of a message into the batch. @returns what they take there */
  #take(message: Outgoing, count: number): number {
    const from = message.sent;
    this.#put(message, from, from + count);
    message.begun = true;
    message.sent += count;
    const isWhole = message.sent === message.length;
    this.waitingBytes -= count + (isWhole ? bytesBesidePayload : 0);
    const size = (from === 0 ? messageHead(message.type, message.pairs.length) : frameHead + chunkHead) + count;
    this.#credit -= size;
    return size;
  }

  #put(item: Outgoing | Buffer, from: number, to: number): void {
    this.#items.push(item);
    this.#ranges.push(from, to);
  }

  /** Puts the batch into one buffer: the one copy of a payload on this side. */
  #write(size: number): Buffer {
    const bytes = Buffer.allocUnsafe(envelopeBytes(size) + size);
    let at = writeEnvelope(bytes, size);
    const [items, ranges] = [this.#items, this.#ranges];
    this.#items = [];
    this.#ranges = [];
    for (let index = 0; index < items.length; index++) {
      const item = items[index]!;
      if (item instanceof Outgoing)
        at = this.#writeMessage(bytes, at, item, ranges[2 * index]!, ranges[2 * index + 1]!);
      else {
        bytes.set(item, at);
        at += item.length;
      }
    }
    return bytes;
  }

  /** A frame with these bytes of a message. @returns where it ends */
  #writeMessage(bytes: Buffer, start: number, message: Outgoing, from: number, to: number): number {
    const { type, call, code, pairs } = message;
    let at = start + frameHead;
    at = bytes.writeUInt32LE(call, at);
    if (from === 0) {
      bytes[at] = code;
      at = bytes.writeUInt32LE(message.length, at + 1);
      if (type === frameTypes.REQUEST) at = bytes.writeUInt32LE(this.#timeLeft(message), at);
      bytes.set(pairs, at);
      at += pairs.length;
    }
    writeRange(bytes, at, message, from, to);
    at += to - from;
    bytes[start] = from === 0 ? type : frameTypes.CHUNK;
    bytes.writeUInt32LE(at - start - frameHead, start + 1);
    return at;
  }

  /** Rounded up: the runtime is never earlier than the caller. */
  #timeLeft({ deadlineAt }: Outgoing): number {
    if (deadlineAt === Infinity) return noDeadline;
    return Math.min(Math.max(Math.ceil(deadlineAt - this.#options.monotonic()), 0), noDeadline - 1);
  }
}

/** Writes these bytes of a payload and what follows it. */
function writeRange(bytes: Buffer, at: number, { payload, tail }: Outgoing, from: number, to: number): void {
  const end = payload.length;
  if (from < end) bytes.set(from === 0 && to >= end ? payload : payload.subarray(from, Math.min(to, end)), at);
  if (to > end) bytes.set(tail.subarray(Math.max(from - end, 0), to - end), at + Math.max(end - from, 0));
}
