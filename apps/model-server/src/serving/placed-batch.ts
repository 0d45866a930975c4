import type { PlacedBatch, RequestPart } from '@sluice/batching/contract';
import { hasFixedLayout, type BatchPlan } from '../runtime/batch-plan.ts';
import type { HandedBatch } from '../runtime/handed-batch.ts';
import { BatchFill } from './fill.ts';
import type { InferJob } from './infer-job.ts';

type Part = RequestPart<InferJob>;

/**
 * A batch in its place in shared memory, until its thread begins it. Rows that come meanwhile are written behind its own;
 * where some leave, what stays is written anew.
 */
export class PlacedInMemory implements PlacedBatch<InferJob> {
  readonly #handed: HandedBatch;
  readonly #plan: BatchPlan;
  #parts: readonly Part[];

  constructor(handed: HandedBatch, plan: BatchPlan, parts: readonly Part[]) {
    this.#handed = handed;
    this.#plan = plan;
    this.#parts = parts;
  }

  get open(): boolean {
    return this.#handed.open;
  }

  join(parts: readonly Part[], rows: number): boolean {
    // Strings have no room of their own between those of other inputs.
    if (!hasFixedLayout(this.#plan)) return false;
    const fill = new BatchFill(this.#plan, parts, rows);
    if (!this.#handed.grow(rows, (targets) => fill.write(targets))) return false;
    this.#parts = [...this.#parts, ...parts];
    for (const part of parts) part.request.enterBatch();
    return true;
  }

  leave(stay: readonly Part[], rows: number): boolean {
    if (!this.#keepOnly(stay, rows)) return false;
    const kept = new Set(stay.map((part) => part.request));
    for (const part of this.#parts) if (!kept.has(part.request)) part.request.leaveBatch();
    this.#parts = stay;
    return true;
  }

  #keepOnly(stay: readonly Part[], rows: number): boolean {
    if (stay.length === 0) return this.#handed.withdraw();
    const fill = new BatchFill(this.#plan, stay, rows);
    return this.#handed.rewrite(rows, fill.stringBytes, (targets) => fill.write(targets));
  }
}
