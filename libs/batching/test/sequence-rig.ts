import { SluiceError } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { BatchPart, Ticket } from '../src/contract.ts';
import type { SequenceBatch, SequenceKey, SequencePart, SequenceRequest } from '../src/sequences/contract.ts';
import type { SequenceOptions } from '../src/sequences/options.ts';
import { SequenceScheduler } from '../src/sequences/sequence-scheduler.ts';

/** What a test says of a request. */
export interface StepOptions {
  readonly start?: boolean;
  readonly end?: boolean;
  readonly rows?: number;
  readonly bucket?: string | number;
  readonly deadlineMs?: number;
  readonly timeoutMicroseconds?: number;
}

/** A request that notes what it is told: `value` is the result, `answers` what ended it. */
export class TestStep implements SequenceRequest<string> {
  readonly sequence: SequenceKey;
  readonly start: boolean;
  readonly end: boolean;
  readonly rows: number;
  readonly bucket: string | number;
  readonly deadlineMs: number;
  readonly timeoutMicroseconds: number;
  ticket: Ticket | undefined = undefined;
  readonly answers: string[] = [];
  /** Thrown by `rowsDone`. */
  cannotTake: Error | undefined;
  onAnswer: () => void = () => undefined;
  value = '';

  constructor(sequence: SequenceKey, options: StepOptions = {}) {
    this.sequence = sequence;
    this.start = options.start ?? false;
    this.end = options.end ?? false;
    this.rows = options.rows ?? 1;
    this.bucket = options.bucket ?? 0;
    this.deadlineMs = options.deadlineMs ?? Infinity;
    this.timeoutMicroseconds = options.timeoutMicroseconds ?? 0;
  }

  rowsDone(result: string, part: BatchPart): void {
    if (this.cannotTake) throw this.cannotTake;
    this.value = `${result}[${part.batchRow}]`;
  }

  succeed(): void {
    this.answers.push('success');
    this.onAnswer();
  }

  fail(error: SluiceError): void {
    this.answers.push(error.message.includes('sequence lost') ? 'sequence lost' : error.kind);
    this.onAnswer();
  }
}

export type TestSequenceBatch = SequenceBatch<TestStep, string>;

/** A scheduler on a fake clock whose batches end when the test says so. */
export class SequenceRig {
  readonly clock: FakeClock;
  readonly batches: TestSequenceBatch[] = [];
  readonly defects: unknown[] = [];
  readonly scheduler: SequenceScheduler<TestStep, string>;
  /** Thrown by the runner. */
  broken: Error | undefined;

  constructor(options: Partial<SequenceOptions> = {}, clock = new FakeClock(), defer?: (form: () => void) => void) {
    this.clock = clock;
    this.scheduler = SequenceScheduler.create<TestStep, string>(
      { name: 'test version 1', ...options },
      {
        clock,
        run: (batch) => {
          this.batches.push(batch);
          if (this.broken) throw this.broken;
        },
        ...(defer && { defer }),
        onDefect: (thrown) => void this.defects.push(thrown),
      },
    );
  }

  /** Enqueues a request that must be taken. */
  take(sequence: SequenceKey, options: StepOptions = {}): TestStep {
    const step = new TestStep(sequence, options);
    const refusal = this.scheduler.enqueue(step);
    if (refusal) throw refusal;
    return step;
  }

  start(sequence: SequenceKey, options: StepOptions = {}): TestStep {
    return this.take(sequence, { ...options, start: true });
  }

  /** Why a request is not taken. */
  refusal(sequence: SequenceKey, options: StepOptions = {}): SluiceError | undefined {
    return this.scheduler.enqueue(new TestStep(sequence, options));
  }

  /** The batch that was formed last. */
  get last(): TestSequenceBatch {
    return this.batches.at(-1)!;
  }

  /** Ends a batch well. */
  done(batch = this.last): void {
    for (const part of batch.parts) batch.complete(part, 'ran', part);
    batch.free();
  }

  fail(batch = this.last, kind: SluiceError['kind'] = 'model-failed'): void {
    for (const part of batch.parts) batch.fail(part, new SluiceError(kind, 'it failed'));
    batch.free();
  }

  /** Starts sequences, runs their first requests and leaves them idle. */
  live(...keys: SequenceKey[]): void {
    for (const key of keys) {
      this.start(key);
      this.done();
    }
  }
}

/** Whose requests a batch has, in the order of its rows. */
export const keysOf = ({ parts }: { readonly parts: readonly SequencePart<TestStep>[] }): SequenceKey[] =>
  parts.map(({ request }) => request.sequence);
