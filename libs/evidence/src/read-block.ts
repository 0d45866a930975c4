import { SluiceError } from '@sluice/domain/errors';
import { armRoles } from '@sluice/domain/release';
import { at, contextFrame, flag, frameHeader, inputHashBytes, magic, recordFrame, unitHashBytes } from './layout.ts';
import { payloadStates, routeReasons } from './record.ts';
import type { EvidenceContext, EvidenceRecord, RuntimeTimings } from './record.ts';

/**
 * Reads the records of a block, in their order. Hashes and payloads are views of it.
 *
 * @throws SluiceError unimplemented for a block of a layout that this software does not know; data-loss where it is not what
 *   `BlockWriter` writes
 */
export function readBlock(block: Uint8Array): EvidenceRecord[] {
  return [...recordsOf(block)];
}

/** As `readBlock`, one after the other: whoever has large blocks reads on when it has time. What it throws says that the whole block is none. */
export function* recordsOf(block: Uint8Array): Generator<EvidenceRecord, void, undefined> {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  checkMagic(bytes);
  const contexts: EvidenceContext[] = [];
  let pos = magic.length;
  while (pos < bytes.length) {
    if (pos + frameHeader > bytes.length) throw malformed(pos, 'a frame without its length');
    const kind = bytes[pos];
    const from = pos + frameHeader;
    const end = from + bytes.readUInt32LE(pos + 1);
    if (end > bytes.length) throw malformed(pos, 'a frame that is longer than the block');
    if (kind === contextFrame) contexts.push(readContext(bytes, from, end));
    else if (kind === recordFrame) yield readRecord(bytes, from, end, contexts);
    else throw malformed(pos, `a frame of kind ${kind}`);
    pos = end;
  }
}

function checkMagic(bytes: Buffer): void {
  if (bytes.length < magic.length || bytes.compare(magic, 0, 3, 0, 3) !== 0) throw malformed(0, 'no block of evidence');
  const version = bytes[3];
  if (version !== magic[3])
    throw new SluiceError(
      'unimplemented',
      `a block of evidence has layout ${version}; this software reads ${magic[3]}`,
    );
}

function malformed(pos: number, what: string): SluiceError {
  return new SluiceError('data-loss', `a block of evidence has ${what} at byte ${pos}`);
}

/** Texts behind the fixed part, read one after the other. */
class Tail {
  readonly #bytes: Buffer;
  readonly #end: number;
  #pos: number;

  constructor(bytes: Buffer, pos: number, end: number) {
    this.#bytes = bytes;
    this.#pos = pos;
    this.#end = end;
  }

  text(length: number): string {
    const from = this.#pos;
    return length === 0 ? '' : this.#bytes.toString('utf8', from, this.#step(length));
  }

  payload(length: number): Uint8Array {
    const from = this.#pos;
    return this.#bytes.subarray(from, this.#step(length));
  }

  finish(): void {
    if (this.#pos !== this.#end) throw malformed(this.#pos, `${this.#end - this.#pos} octets that belong to nothing`);
  }

  #step(length: number): number {
    this.#pos += length;
    if (this.#pos > this.#end) throw malformed(this.#pos, 'a text that is longer than its frame');
    return this.#pos;
  }
}

const contextNumbers = 25;

function readContext(bytes: Buffer, from: number, end: number): EvidenceContext {
  if (end - from < contextNumbers) throw malformed(from, 'a context without its numbers');
  const texts: string[] = [];
  let pos = from + contextNumbers;
  while (texts.length < 7) {
    if (pos + 2 > end) throw malformed(pos, 'a context without its texts');
    const next = pos + 2 + bytes.readUInt16LE(pos);
    if (next > end) throw malformed(pos, 'a text that is longer than its frame');
    texts.push(bytes.toString('utf8', pos + 2, next));
    pos = next;
  }
  const [model, versionDigest, releaseId, seedId, arm, servedArm, retentionClass] = texts as [string, ...string[]];
  return {
    ...{
      model,
      versionDigest: versionDigest!,
      releaseId: releaseId!,
      seedId: seedId!,
      arm: arm!,
      servedArm: servedArm!,
    },
    role: armRoles[bytes[from]! - 1],
    version: bytes.readDoubleLE(from + 1),
    policyVersion: bytes.readDoubleLE(from + 9),
    propensity: bytes.readDoubleLE(from + 17),
    retentionClass: retentionClass!,
  };
}

function readRecord(bytes: Buffer, from: number, end: number, contexts: readonly EvidenceContext[]): EvidenceRecord {
  if (end - from < at.fixed) throw malformed(from, 'a record without its fixed part');
  const context = contexts[bytes.readUInt16LE(from + at.context)];
  if (!context) throw malformed(from, 'a record without its context');
  const flags = bytes[from + at.flags]!;
  const states = bytes[from + at.payloadStates]!;
  const [reason, requestState, responseState] = [
    routeReasons[bytes[from + at.reason]!],
    payloadStates[states & 0xf],
    payloadStates[states >>> 4],
  ];
  if (!reason || !requestState || !responseState) throw malformed(from, 'a record with a code that is not known');
  const tail = new Tail(bytes, from + at.fixed, end);
  const lengthOf = (offset: number): number => bytes.readUInt16LE(from + offset);
  const record: EvidenceRecord = {
    context,
    predictionId: uuidText(bytes, from + at.predictionId),
    attempt: bytes[from + at.attempt]!,
    answered: (flags & flag.answered) !== 0,
    reason,
    status: bytes[from + at.status]!,
    fallbackStatus: bytes[from + at.fallbackStatus]!,
    receivedMs: bytes.readDoubleLE(from + at.receivedMs),
    sentMicros: bytes.readUInt32LE(from + at.sentMicros),
    endedMicros: bytes.readUInt32LE(from + at.endedMicros),
    timings: (flags & flag.timings) === 0 ? undefined : readTimings(bytes, from),
    rows: bytes.readUInt32LE(from + at.rows),
    keepProbability: bytes.readDoubleLE(from + at.keepProbability),
    unitHash: hash(bytes, from + at.unitHash, unitHashBytes, (flags & flag.unitHash) !== 0),
    inputHash: hash(bytes, from + at.inputHash, inputHashBytes, (flags & flag.inputHash) !== 0),
    requestId: tail.text(lengthOf(at.requestIdLength)),
    subject: tail.text(lengthOf(at.subjectLength)),
    caller: tail.text(lengthOf(at.callerLength)),
    traceId: tail.text(lengthOf(at.traceIdLength)),
    rule: tail.text(lengthOf(at.ruleLength)),
    runtime: tail.text(lengthOf(at.runtimeLength)),
    requestState,
    request: payload(tail, bytes.readUInt32LE(from + at.requestLength), requestState === 'captured'),
    responseState,
    response: payload(tail, bytes.readUInt32LE(from + at.responseLength), responseState === 'captured'),
  };
  tail.finish();
  return record;
}

function readTimings(bytes: Buffer, from: number): RuntimeTimings {
  return {
    queueMicros: bytes.readUInt32LE(from + at.queueMicros),
    runMicros: bytes.readUInt32LE(from + at.runMicros),
    totalMicros: bytes.readUInt32LE(from + at.totalMicros),
    batchRows: bytes.readUInt32LE(from + at.batchRows),
    costMicros: bytes.readFloatLE(from + at.costMicros),
  };
}

function hash(bytes: Buffer, pos: number, length: number, isThere: boolean): Uint8Array | undefined {
  return isThere ? bytes.subarray(pos, pos + length) : undefined;
}

/** Empty bytes are a payload too, where one was captured. */
function payload(tail: Tail, length: number, isCaptured: boolean): Uint8Array | undefined {
  const bytes = tail.payload(length);
  return isCaptured ? bytes : undefined;
}

function uuidText(bytes: Buffer, pos: number): string {
  const hex = bytes.toString('hex', pos, pos + 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
