import { SluiceError } from '@sluice/domain/errors';
import { recordsOf } from '@sluice/evidence/read-block';
import type { EvidenceContext, EvidenceRecord } from '@sluice/evidence/record';
import { contextProblem, recordProblem } from '../evidence/check-record.ts';
import type { Retention } from '../evidence/days.ts';
import { idTime, isInTime } from '../evidence/days.ts';
import { deadRecord } from '../evidence/dead-record.ts';
import type { DeadLetter, EvidenceItem, Origin } from '../evidence/item.ts';
import type { Pace } from '../pace.ts';
import type { Batch } from './batch.ts';

/** A block as it came. */
export interface SentBlock {
  readonly origin: Origin;
  readonly block: Uint8Array;
}

/** Blocks that become one batch: each record goes where it belongs. */
export class SortedBlocks implements Batch {
  readonly rows: EvidenceItem[] = [];
  readonly skewed: EvidenceItem[] = [];
  readonly dead: DeadLetter[] = [];
  /** Contexts of the records that are to be stored. */
  readonly contexts = new Set<EvidenceContext>();
  readonly #retention: Retention;
  readonly #nowMs: number;

  /** @param nowMs against which ids are in time or not */
  constructor(retention: Retention, nowMs: number) {
    this.#retention = retention;
    this.#nowMs = nowMs;
  }

  /** Records so far, dead ones too. */
  get records(): number {
    return this.rows.length + this.skewed.length + this.dead.length;
  }

  /** Takes its time, in slices of `pace`: a block may be as large as a message. */
  async add({ origin, block }: SentBlock, pace: Pace): Promise<void> {
    const records: EvidenceRecord[] = [];
    try {
      for (const record of recordsOf(block)) {
        records.push(record);
        if (pace.isOver()) await pace.giveWay();
      }
    } catch (error) {
      this.dead.push(deadBlock(origin, block, error));
      return;
    }
    let last: EvidenceContext | undefined;
    let problem: string | undefined;
    for (const [index, record] of records.entries()) {
      const { context } = record;
      if (context !== last) problem = contextProblem((last = context));
      this.#place({ record, origin, block, index }, problem ?? recordProblem(record));
      if (pace.isOver()) await pace.giveWay();
    }
  }

  #place(item: EvidenceItem, problem: string | undefined): void {
    const { context, predictionId } = item.record;
    if (problem !== undefined) {
      this.dead.push(deadRecord(item, 'invalid', problem));
      return;
    }
    this.contexts.add(context);
    const days = this.#retention[context.retentionClass as keyof Retention];
    (isInTime(idTime(predictionId), this.#nowMs, days) ? this.rows : this.skewed).push(item);
  }
}

function deadBlock(origin: Origin, block: Uint8Array, error: unknown): DeadLetter {
  const { kind, message } = SluiceError.from(error);
  // Anything but what `readBlock` says of a block that is none is a defect, and must not hold up the spool either.
  const detail = kind === 'internal' ? 'reading it failed' : message;
  const reason = kind === 'unimplemented' ? 'unknown-layout' : 'unreadable';
  return {
    ...{ kind: 'block', reason, detail, origin, bytes: block },
    ...{ predictionId: undefined, model: undefined, record: undefined },
  };
}
