import type { PlacedBatch, RequestPart } from '../src/contract.ts';
import type { SchedulerOptions } from '../src/options.ts';
import { Rig, type TestBatch, type TestRequest } from './rig.ts';

/** A runner whose batches begin when the test says so. */
export class PlacingRig extends Rig {
  readonly begun = new Set<TestBatch>();
  /** Rows that a batch has room for. */
  room = 100;
  /** What each batch was told to run with at last. */
  readonly runsWith = new Map<TestBatch, number>();
  readonly joins: string[] = [];

  constructor(options: Partial<SchedulerOptions>) {
    super(options, {
      run: (batch) => {
        this.batches.push(batch);
        this.runsWith.set(batch, batch.paddedRows);
        batch.place(this.#placed(batch));
      },
    });
  }

  #placed(batch: TestBatch): PlacedBatch<TestRequest> {
    const isOpen = (): boolean => !this.begun.has(batch);
    const change = (rows: number): boolean => {
      if (!isOpen()) return false;
      this.runsWith.set(batch, rows);
      return true;
    };
    const place = (part: RequestPart<TestRequest>): string => `${part.request.label}@${part.batchRow}`;
    return {
      get open() {
        return isOpen();
      },
      join: (parts, rows) => {
        if (rows > this.room || !change(rows)) return false;
        this.joins.push(parts.map(place).join(' '));
        return true;
      },
      leave: (_stay, rows) => change(rows),
    };
  }

  begin(index: number): void {
    this.begun.add(this.batches[index]!);
  }

  /** Row by row, where the parts of a batch stand. */
  rows(index: number): string {
    return this.batches[index]!.parts.map((part) => `${part.request.label}@${part.batchRow}`).join(' ');
  }
}
