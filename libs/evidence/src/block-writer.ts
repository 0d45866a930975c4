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
  #end = 0;
  /** Stands for the block that is being written; another one for each. */
  #block: object = {};
  #contexts = 0;
  #records = 0;

  readonly #capacity: number;

  /** @param capacity bytes of a block; one record that has more makes a block larger */
  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#bytes = Buffer.allocUnsafeSlow(capacity);
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
    if (this.#bytes.length > this.#capacity) this.#bytes = Buffer.allocUnsafeSlow(this.#capacity);
    this.#begin();
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
      this.#bytes = Buffer.allocUnsafeSlow(this.#end + size);
      this.#begin();
    }
    this.#define(draft);
    this.#write(draft);
    this.#records++;
    return true;
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
    const frame = this.#end;
    const base = frame + frameHeader;
    bytes[frame] = recordFrame;
    writeFacts(bytes, base, draft);
    let pos = base + at.fixed;
    pos = writeText(bytes, pos, draft.requestId, base + at.requestIdLength);
    pos = writeText(bytes, pos, draft.subject, base + at.subjectLength);
    pos = writeText(bytes, pos, draft.caller, base + at.callerLength);
    pos = writeText(bytes, pos, draft.traceId, base + at.traceIdLength);
    pos = writeText(bytes, pos, draft.rule, base + at.ruleLength);
    pos = writeText(bytes, pos, draft.runtime, base + at.runtimeLength);
    pos = writeRequest(bytes, pos, draft, base + at.requestLength);
    const response = pos;
    if (draft.response) {
      for (const piece of draft.response) {
        bytes.set(piece, pos);
        pos += piece.length;
      }
    }
    bytes.writeUInt32LE(pos - response, base + at.responseLength);
    bytes.writeUInt32LE(pos - base, frame + 1);
    this.#end = pos;
  }
}

function codes<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, code) => [name, code])) as Record<Name, number>;
}

function payloadBytes({ request, response }: RecordDraft): number {
  let size = request === undefined ? 0 : request.length;
  if (response) for (const piece of response) size += piece.length;
  return size;
}

/** All that has its place. */
function writeFacts(bytes: Buffer, base: number, draft: RecordDraft): void {
  const { timings, unitHash, inputHash } = draft;
  writeUuid(bytes, base + at.predictionId, draft.predictionId);
  bytes.writeUInt16LE(draft.context.index, base + at.context);
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
  bytes.writeDoubleLE(draft.receivedMs, base + at.receivedMs);
  bytes.writeDoubleLE(draft.keepProbability, base + at.keepProbability);
  writeCount(bytes, base + at.sentMicros, draft.sentMicros);
  writeCount(bytes, base + at.endedMicros, draft.endedMicros);
  writeCount(bytes, base + at.queueMicros, timings ? timings.queueMicros : 0);
  writeCount(bytes, base + at.runMicros, timings ? timings.runMicros : 0);
  writeCount(bytes, base + at.totalMicros, timings ? timings.totalMicros : 0);
  writeCount(bytes, base + at.batchRows, timings ? timings.batchRows : 0);
  bytes.writeFloatLE(timings ? timings.costMicros : 0, base + at.costMicros);
  writeCount(bytes, base + at.rows, draft.rows);
  writeHash(bytes, base + at.unitHash, unitHash, unitHashBytes);
  writeHash(bytes, base + at.inputHash, inputHash, inputHashBytes);
}

function writeCount(bytes: Buffer, pos: number, value: number): void {
  bytes.writeUInt32LE(value >= maxUint32 ? maxUint32 : value > 0 ? Math.floor(value) : 0, pos);
}

function writeHash(bytes: Buffer, pos: number, hash: string | undefined, length: number): void {
  if (hash === undefined) bytes.fill(0, pos, pos + length);
  else bytes.write(hash, pos, length, 'latin1');
}

/** @returns where the next one goes */
function writeText(bytes: Buffer, pos: number, text: string, lengthAt: number): number {
  // A text that is longer is cut at the end of a character.
  const length = text === '' ? 0 : bytes.write(text, pos, maxTextBytes, 'utf8');
  bytes.writeUInt16LE(length, lengthAt);
  return pos + length;
}

function writeRequest(bytes: Buffer, pos: number, { request, redactions }: RecordDraft, lengthAt: number): number {
  if (request === undefined) {
    bytes.writeUInt32LE(0, lengthAt);
    return pos;
  }
  bytes.set(request, pos);
  if (redactions) {
    for (let each = 0; each + 1 < redactions.length; each += 2) {
      const from = pos + redactions[each]!;
      bytes.fill(0, from, from + redactions[each + 1]!);
    }
  }
  bytes.writeUInt32LE(request.length, lengthAt);
  return pos + request.length;
}

/** @param text of a UUID, 36 characters in lower case */
function writeUuid(bytes: Buffer, pos: number, text: string): void {
  for (let from = 0; from < 36; from += 2) {
    if (text.charCodeAt(from) === 0x2d) from++;
    bytes[pos++] = (digit(text.charCodeAt(from)) << 4) | digit(text.charCodeAt(from + 1));
  }
}

function digit(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}
