import { SluiceError } from '@sluice/domain/errors';
import type { BucketKey, RequestPart } from '../contract.ts';
import type { SequenceBatch, SequencePart } from './contract.ts';
import type { Step } from './sequence.ts';

/** A part that knows its place in its sequence. */
export interface StepPart<Request> extends SequencePart<Request> {
  readonly step: Step<Request>;
}

/** Whom a batch tells how it goes. */
export interface SequenceBatchOwner<Request, Result> {
  partDone(step: Step<Request>, result: Result, from: RequestPart<Request>): boolean;
  partFailed(step: Step<Request>, error: SluiceError): void;
  batchFreed(batch: FormedSequenceBatch<Request, Result>): void;
}

/** A batch on its way; holds its runner to the contract. */
export class FormedSequenceBatch<Request, Result> implements SequenceBatch<Request, Result> {
  readonly id: number;
  readonly instance: number;
  readonly bucket: BucketKey;
  readonly parts: readonly StepPart<Request>[];
  readonly formedAtMs: number;
  freed = false;
  readonly #owner: SequenceBatchOwner<Request, Result>;
  readonly #open: Set<SequencePart<Request>>;

  constructor(
    owner: SequenceBatchOwner<Request, Result>,
    what: Pick<FormedSequenceBatch<Request, Result>, 'id' | 'instance' | 'bucket' | 'parts' | 'formedAtMs'>,
  ) {
    this.#owner = owner;
    this.id = what.id;
    this.instance = what.instance;
    this.bucket = what.bucket;
    this.parts = what.parts;
    this.formedAtMs = what.formedAtMs;
    this.#open = new Set(what.parts);
  }

  wanted(part: SequencePart<Request>): boolean {
    return !this.#stepOf(part).answered;
  }

  complete(part: SequencePart<Request>, result: Result, from: RequestPart<Request>): boolean {
    this.#close(part);
    return this.#owner.partDone(this.#stepOf(part), result, from);
  }

  fail(part: SequencePart<Request>, error: SluiceError): void {
    this.#close(part);
    this.#owner.partFailed(this.#stepOf(part), error);
  }

  /** Fails what was not answered. */
  failRest(error: SluiceError): void {
    for (const part of [...this.#open]) this.fail(part, error);
  }

  free(): void {
    if (this.freed) throw new SluiceError('internal', `batch ${this.id} was freed twice`);
    if (this.#open.size > 0) throw new SluiceError('internal', `batch ${this.id} was freed before its parts ended`);
    this.freed = true;
    this.#owner.batchFreed(this);
  }

  #close(part: SequencePart<Request>): void {
    if (!this.#open.delete(part)) throw new SluiceError('internal', `a part of batch ${this.id} was answered twice`);
  }

  #stepOf(part: SequencePart<Request>): Step<Request> {
    return (part as StepPart<Request>).step;
  }
}
