import { storableText } from '@sluice/domain/text';
import { maxTextBytes } from '@sluice/evidence/layout';
import type { EvidenceContext, EvidenceRecord } from '@sluice/evidence/record';

/** What all rows of one context have, in the order in which `CopyRows` writes it. */
const contextColumns = [
  ...['class', 'arm', 'model', 'version', 'version_digest', 'version_known', 'release_id', 'seed_id'],
  ...['policy_version', 'served_arm', 'role', 'propensity'],
];

const recordColumns = [
  ...['prediction_id', 'attempt', 'answered', 'reason', 'status', 'fallback_status', 'received_at'],
  ...['sent_micros', 'ended_micros', 'queue_micros', 'run_micros', 'total_micros', 'batch_rows', 'cost_micros'],
  ...['rows', 'keep_probability', 'unit_hash', 'input_hash', 'request_id', 'subject', 'caller', 'trace_id'],
  ...['rule', 'runtime', 'payload_key_id', 'request_state', 'request', 'response_state', 'response'],
];

/** What a row has of payloads. */
export type RowPayloads = Pick<EvidenceRecord, 'request' | 'requestState' | 'response' | 'responseState'>;

/** Columns of the tables of evidence that ingest fills; the others have defaults, or are another's. */
export const copiedColumns: readonly string[] = [...contextColumns, ...recordColumns];

const header = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
/** From the Unix epoch to that of Postgres, in milliseconds. */
const epochMs = Date.UTC(2000, 0, 1);
/** A row without its payloads and the columns of its context: numbers with their lengths, and texts at their longest. */
const mostOfRow = 512 + 6 * maxTextBytes;
/** One with a small payload, as rows mostly are. */
const usualRow = 1024;
const mostBegun = 1 << 20;

/**
 * Rows of evidence as `COPY ... (FORMAT binary)` takes them, written into one buffer that grows. Bytes are only copied; what a
 * context gives is encoded once.
 */
export class CopyRows {
  #bytes: Buffer;
  #end = 0;
  readonly #contexts = new Map<EvidenceContext, Buffer>();
  readonly #isKnown: (context: EvidenceContext) => boolean | undefined;

  /**
   * @param isKnown whether the registry has the version of a context; undefined where that is not known
   * @param rows that come, for the first size of the buffer
   */
  constructor(isKnown: (context: EvidenceContext) => boolean | undefined, rows: number) {
    this.#isKnown = isKnown;
    // As much for a batch of few as for one of many would be memory that the collector is busy with and nothing else.
    this.#bytes = Buffer.allocUnsafeSlow(Math.min(mostBegun, 2 * mostOfRow + rows * usualRow));
    this.#end = header.copy(this.#bytes);
  }

  /**
   * @param payloads what is stored instead of the record's own, encrypted under the key `keyId`
   * @param keyId undefined where they are not encrypted
   */
  add(record: EvidenceRecord, payloads: RowPayloads = record, keyId?: string): void {
    const context = this.#contextOf(record.context);
    this.#reserve(context.length + mostOfRow + (payloads.request?.length ?? 0) + (payloads.response?.length ?? 0));
    this.#end += context.copy(this.#bytes, this.#end);
    this.#head(record);
    this.#counts(record);
    this.#tail(record);
    if (keyId === undefined) this.#null();
    else this.#uuid(keyId);
    this.#payloads(payloads);
  }

  /** All of it, to be sent as it is. Nothing may be added afterwards. */
  finish(): Uint8Array {
    this.#reserve(2);
    this.#end = this.#bytes.writeInt16BE(-1, this.#end);
    return this.#bytes.subarray(0, this.#end);
  }

  #head(record: EvidenceRecord): void {
    this.#uuid(record.predictionId);
    this.#int16(record.attempt);
    this.#boolean(record.answered);
    this.#ascii(record.reason);
    this.#int16(record.status);
    this.#int16(record.fallbackStatus);
    this.#time(record.receivedMs);
  }

  #counts({ timings, ...record }: EvidenceRecord): void {
    this.#count(record.sentMicros);
    this.#count(record.endedMicros);
    this.#count(timings?.queueMicros);
    this.#count(timings?.runMicros);
    this.#count(timings?.totalMicros);
    this.#count(timings?.batchRows);
    this.#double(timings?.costMicros);
    this.#count(record.rows);
    this.#double(record.keepProbability);
  }

  #tail(record: EvidenceRecord): void {
    this.#octets(record.unitHash);
    this.#octets(record.inputHash);
    this.#text(record.requestId);
    this.#text(record.subject);
    this.#text(record.caller);
    this.#text(record.traceId);
    this.#text(record.rule);
    this.#text(record.runtime);
  }

  #payloads(payloads: RowPayloads): void {
    this.#ascii(payloads.requestState);
    this.#octets(payloads.request);
    this.#ascii(payloads.responseState);
    this.#octets(payloads.response);
  }

  #contextOf(context: EvidenceContext): Buffer {
    let columns = this.#contexts.get(context);
    if (columns === undefined) this.#contexts.set(context, (columns = this.#encodeContext(context)));
    return columns;
  }

  /** The number of columns of a row, and those of its context. */
  #encodeContext(context: EvidenceContext): Buffer {
    const { version, policyVersion, propensity, role } = context;
    const count = Buffer.alloc(2);
    count.writeInt16BE(copiedColumns.length);
    const pieces: Record<string, Buffer> = {
      ...{ class: textOf(context.retentionClass), arm: textOf(context.arm), model: textOf(context.model) },
      ...{ version: int64Of(version), version_digest: textOf(context.versionDigest) },
      ...{ version_known: booleanOf(this.#isKnown(context)), release_id: textOf(context.releaseId) },
      ...{ seed_id: textOf(context.seedId), policy_version: int64Of(policyVersion) },
      ...{ served_arm: textOf(context.servedArm), role: role === undefined ? nothing : textOf(role) },
      propensity: doubleOf(propensity),
    };
    return Buffer.concat([count, ...contextColumns.map((name) => pieces[name]!)]);
  }

  #reserve(size: number): void {
    if (this.#end + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#end + size, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }

  #int16(value: number): void {
    this.#end = this.#bytes.writeInt16BE(value, this.#bytes.writeInt32BE(2, this.#end));
  }

  #boolean(value: boolean): void {
    this.#end = this.#bytes.writeInt8(value ? 1 : 0, this.#bytes.writeInt32BE(1, this.#end));
  }

  /** A whole number of four octets without a sign, as eight. */
  #count(value: number | undefined): void {
    if (value === undefined) {
      this.#null();
      return;
    }
    const at = this.#bytes.writeInt32BE(8, this.#end);
    this.#end = this.#bytes.writeUInt32BE(value, this.#bytes.writeUInt32BE(0, at));
  }

  #double(value: number | undefined): void {
    if (value === undefined) this.#null();
    else this.#end = this.#bytes.writeDoubleBE(value, this.#bytes.writeInt32BE(8, this.#end));
  }

  /** Whole microseconds since the epoch of Postgres. */
  #time(ms: number): void {
    const micros = Math.round((ms - epochMs) * 1000);
    const high = Math.floor(micros / 0x1_0000_0000);
    const at = this.#bytes.writeInt32BE(high, this.#bytes.writeInt32BE(8, this.#end));
    this.#end = this.#bytes.writeUInt32BE(micros - high * 0x1_0000_0000, at);
  }

  #uuid(text: string): void {
    const bytes = this.#bytes;
    let at = bytes.writeInt32BE(16, this.#end);
    for (let from = 0; from < 36; from += 2) {
      if (text.charCodeAt(from) === 0x2d) from++;
      bytes[at++] = (digit(text.charCodeAt(from)) << 4) | digit(text.charCodeAt(from + 1));
    }
    this.#end = at;
  }

  #octets(value: Uint8Array | undefined): void {
    if (value === undefined) {
      this.#null();
      return;
    }
    const at = this.#bytes.writeInt32BE(value.length, this.#end);
    this.#bytes.set(value, at);
    this.#end = at + value.length;
  }

  #ascii(text: string): void {
    const at = this.#bytes.writeInt32BE(text.length, this.#end);
    this.#end = at + this.#bytes.write(text, at, 'latin1');
  }

  /** A text of a caller: NUL, which no text of Postgres has, becomes U+FFFD; what is over the bound of records is cut off. */
  #text(text: string): void {
    const at = this.#end + 4;
    const length = text === '' ? 0 : this.#bytes.write(storableText(text), at, maxTextBytes, 'utf8');
    this.#bytes.writeInt32BE(length, this.#end);
    this.#end = at + length;
  }

  #null(): void {
    this.#end = this.#bytes.writeInt32BE(-1, this.#end);
  }
}

const nothing = Buffer.from([0xff, 0xff, 0xff, 0xff]);

function sized(value: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(value.length);
  return Buffer.concat([length, value]);
}

const textOf = (text: string): Buffer => sized(Buffer.from(text));

function int64Of(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(BigInt(value));
  return sized(bytes);
}

function doubleOf(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return sized(bytes);
}

const booleanOf = (value: boolean | undefined): Buffer =>
  value === undefined ? nothing : sized(Buffer.from([value ? 1 : 0]));

function digit(code: number): number {
  return code <= 0x39 ? code - 0x30 : code - 0x57;
}
