import type { RecordDraft } from './draft.ts';
import { at, flag, frameHeader, inputHashBytes, magic, maxTextBytes, recordFrame, unitHashBytes } from './layout.ts';
import { payloadStates, routeReasons } from './record.ts';
import type { PayloadState, RouteReason } from './record.ts';

const reasonCodes = codes<RouteReason>(routeReasons);
const stateCodes = codes<PayloadState>(payloadStates);

/** A record has at most so many texts. */
const texts = 6;

const maxUint32 = 0xffff_ffff;

/**
 * Writes records one after the other into a block: into one buffer, without an object or a copy for any of their fields.
 */
export class BlockWriter {
  #bytes: Buffer;
  /** The same memory: numbers are written by it, which costs a third of what Buffer's own methods do. */
  #view: DataView;
  #end = 0;
  /** Stands for the block that is being written; another one for each. */
  #block: object = {};
  #contexts = 0;
  #records = 0;
  /** As it was before the last record. */
  #before = { end: 0, contexts: 0 };

  readonly #capacity: number;

  /** @param capacity bytes of a block; one record that has more makes a block larger */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
    this.#view = viewOf(this.#bytes);
    this.#begin();
  }

  /** Records in the block. */
  get records(): number {
    return this.#records;
  }

  /** The block as far as it is written, where it lies: good until the next change. */
  get block(): Uint8Array {
    return this.#bytes.subarray(0, this.#end);
  }

  /** Bytes of it. */
  get length(): number {
    return this.#end;
  }

  /** Begins another block, in the same buffer unless that had to be larger. */
  clear(): void {
    if (this.#bytes.length > this.#capacity) this.#renew(this.#capacity);
    this.#begin();
  }

  #renew(length: number): void {
    this.#bytes = Buffer.allocUnsafeSlow(length);
    this.#view = viewOf(this.#bytes);
  }

  #begin(): void {
    this.#end = magic.copy(this.#bytes);
    this.#block = {};
    this.#contexts = 0;
    this.#records = 0;
  }

  /** Bytes that a record takes at most. */
  static sizeOf(draft: RecordDraft): number {
    return draft.context.frame.length + frameHeader + at.fixed + texts * maxTextBytes + payloadBytes(draft);
  }

  /**
   * Adds a record.
   *
   * @returns false when it does not fit, and nothing was written. It fits into a block of its own, whatever its size
   */
  append(draft: RecordDraft): boolean {
    const size = BlockWriter.sizeOf(draft);
    if (this.#end + size > this.#bytes.length) {
      if (this.#records > 0) return false;
      this.#renew(this.#end + size);
      this.#begin();
    }
    this.#before.end = this.#end;
    this.#before.contexts = this.#contexts;
    this.#define(draft);
    this.#write(draft);
    this.#records++;
    return true;
  }

  /** Takes the last record out of the block again, once. @param draft as it was appended */
  takeBack({ context }: RecordDraft): void {
    const { end, contexts } = this.#before;
    if (contexts < this.#contexts) context.block = undefined;
    this.#end = end;
    this.#contexts = contexts;
    this.#records--;
  }

  #define({ context }: RecordDraft): void {
    if (context.block === this.#block) return;
    context.block = this.#block;
    context.index = this.#contexts++;
    this.#bytes.set(context.frame, this.#end);
    this.#end += context.frame.length;
  }

  #write(draft: RecordDraft): void {
    const bytes = this.#bytes;
    const view = this.#view;
    const frame = this.#end;
    const base = frame + frameHeader;
    bytes[frame] = recordFrame;
    writeFacts(bytes, view, base, draft);
    let pos = base + at.fixed;
    pos = writeText(bytes, view, pos, draft.requestId, base + at.requestIdLength);
    pos = writeText(bytes, view, pos, draft.subject, base + at.subjectLength);
    pos = writeText(bytes, view, pos, draft.caller, base + at.callerLength);
    pos = writeText(bytes, view, pos, draft.traceId, base + at.traceIdLength);
    pos = writeText(bytes, view, pos, draft.rule, base + at.ruleLength);
    pos = writeText(bytes, view, pos, draft.runtime, base + at.runtimeLength);
    pos = writeRequest(bytes, view, pos, draft, base + at.requestLength);
    const response = pos;
    if (draft.response) {
      for (const piece of draft.response) {
        bytes.set(piece, pos);
        pos += piece.length;
      }
    }
    view.setUint32(base + at.responseLength, pos - response, true);
    view.setUint32(frame + 1, pos - base, true);
    this.#end = pos;
  }
}

const viewOf = ({ buffer, byteOffset, length }: Buffer): DataView => new DataView(buffer, byteOffset, length);

function codes<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, code) => [name, code])) as Record<Name, number>;
}

function payloadBytes({ request, response }: RecordDraft): number {
  let size = request === undefined ? 0 : request.length;
  if (response) for (const piece of response) size += piece.length;
  return size;
}

/** All that has its place. */
function writeFacts(bytes: Buffer, view: DataView, base: number, draft: RecordDraft): void {
  const { timings, unitHash, inputHash } = draft;
  writeUuid(bytes, base + at.predictionId, draft.predictionId);
  view.setUint16(base + at.context, draft.context.index, true);
  bytes[base + at.attempt] = draft.attempt;
  bytes[base + at.flags] =
    (draft.answered ? flag.answered : 0) |
    (timings ? flag.timings : 0) |
    (unitHash === undefined ? 0 : flag.unitHash) |
    (inputHash === undefined ? 0 : flag.inputHash);
  bytes[base + at.status] = draft.status;
  bytes[base + at.fallbackStatus] = draft.fallbackStatus;
  bytes[base + at.reason] = reasonCodes[draft.reason];
  bytes[base + at.payloadStates] = stateCodes[draft.requestState] | (stateCodes[draft.responseState] << 4);
  view.setFloat64(base + at.receivedMs, draft.receivedMs, true);
  view.setFloat64(base + at.keepProbability, draft.keepProbability, true);
  writeCount(view, base + at.sentMicros, draft.sentMicros);
  writeCount(view, base + at.endedMicros, draft.endedMicros);
  writeCount(view, base + at.queueMicros, timings ? timings.queueMicros : 0);
  writeCount(view, base + at.runMicros, timings ? timings.runMicros : 0);
  writeCount(view, base + at.totalMicros, timings ? timings.totalMicros : 0);
  writeCount(view, base + at.batchRows, timings ? timings.batchRows : 0);
  view.setFloat32(base + at.costMicros, timings ? timings.costMicros : 0, true);
  writeCount(view, base + at.rows, draft.rows);
  writeHash(bytes, view, base + at.unitHash, unitHash, unitHashBytes);
  writeHash(bytes, view, base + at.inputHash, inputHash, inputHashBytes);
}

function writeCount(view: DataView, pos: number, value: number): void {
  view.setUint32(pos, value >= maxUint32 ? maxUint32 : value > 0 ? Math.floor(value) : 0, true);
}

/** @param length a multiple of eight */
function writeHash(bytes: Buffer, view: DataView, pos: number, hash: string | undefined, length: number): void {
  if (hash === undefined) for (let at = 0; at < length; at += 8) view.setFloat64(pos + at, 0, true);
  else bytes.write(hash, pos, length, 'latin1');
}

/** Shorter texts are written character by character: a call out of JavaScript takes longer. */
const shortText = 32;

/** @returns where the next one goes */
function writeText(bytes: Buffer, view: DataView, pos: number, text: string, lengthAt: number): number {
  const short = text.length <= shortText ? writeAscii(bytes, pos, text) : -1;
  // A text that is longer is cut at the end of a character.
  const length = short < 0 ? bytes.write(text, pos, maxTextBytes, 'utf8') : short;
  view.setUint16(lengthAt, length, true);
  return pos + length;
}

/** @returns how many octets it has; -1 where it has others than ASCII */
function writeAscii(bytes: Buffer, pos: number, text: string): number {
  for (let each = 0; each < text.length; each++) {
    const code = text.charCodeAt(each);
    if (code > 0x7f) return -1;
    bytes[pos + each] = code;
  }
  return text.length;
}

function writeRequest(
  bytes: Buffer,
  view: DataView,
  pos: number,
  { request, redactions }: RecordDraft,
  lengthAt: number,
): number {
  if (request === undefined) {
    view.setUint32(lengthAt, 0, true);
    return pos;
  }
  bytes.set(request, pos);
  if (redactions) {
    for (let each = 0; each + 1 < redactions.length; each += 2) {
      const from = pos + redactions[each]!;
      bytes.fill(0, from, from + redactions[each + 1]!);
    }
  }
  view.setUint32(lengthAt, request.length, true);
  return pos + request.length;
}

/** Where the digits of a UUID's octets begin in its text. */
const digits = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34] as const;
/** Of each character its value as a hex digit in lower case. */
const digitValues = Uint8Array.from({ length: 128 }, (_, code) =>
  Math.max(0, '0123456789abcdef'.indexOf(String.fromCharCode(code))),
);

/** @param text of a UUID, 36 characters in lower case */
function writeUuid(bytes: Buffer, pos: number, text: string): void {
  for (let octet = 0; octet < 16; octet++) {
    const from = digits[octet]!;
    bytes[pos + octet] = (digitValues[text.charCodeAt(from)]! << 4) | digitValues[text.charCodeAt(from + 1)]!;
  }
}
