import type { SluiceError } from '@sluice/domain/errors';
import { FakeClock } from '@sluice/testkit/fake-clock';
import type { Batch, BatchPart, BatchRequest, BucketKey, SchedulerPorts, Ticket } from '../src/contract.ts';
import type { SchedulerOptions } from '../src/options.ts';
import { BatchScheduler } from '../src/scheduler.ts';

/** What a test says of a request besides its rows; left out: bucket `a`, no deadline, level and time-out 0. */
export interface RequestOptions {
  readonly bucket?: BucketKey;
  readonly deadlineMs?: number;
  readonly priority?: number;
  readonly timeoutMicroseconds?: number;
}

/** A request that writes down what becomes of it. */
export class TestRequest implements BatchRequest<string> {
  ticket: Ticket | undefined = undefined;
  readonly answers: ('ok' | SluiceError)[] = [];
  readonly parts: BatchPart[] = [];
  onAnswer: () => void = () => undefined;
  onRows: () => void = () => undefined;
  readonly label: string;
  readonly rows: number;
  readonly bucket: BucketKey;
  readonly deadlineMs: number;
  readonly priority: number;
  readonly timeoutMicroseconds: number;

  constructor(label: string, rows: number, options: RequestOptions = {}) {
    this.label = label;
    this.rows = rows;
    this.bucket = options.bucket ?? 'a';
    this.deadlineMs = options.deadlineMs ?? Infinity;
    this.priority = options.priority ?? 0;
    this.timeoutMicroseconds = options.timeoutMicroseconds ?? 0;
  }

  rowsDone(_result: string, part: BatchPart): void {
    this.parts.push(part);
    this.onRows();
  }

  succeed(): void {
    this.answers.push('ok');
    this.onAnswer();
  }

  fail(error: SluiceError): void {
    this.answers.push(error);
    this.onAnswer();
  }

  /** `waiting` until it is answered; then `ok` or the kind of its error. More than one answer shows as a list. */
  get outcome(): string {
    if (this.answers.length === 0) return 'waiting';
    return this.answers.map((answer) => (answer === 'ok' ? answer : answer.kind)).join(',');
  }
}

export type TestBatch = Batch<TestRequest, string>;

/** A scheduler on a fake clock whose batches stay until the test ends them. */
export class Rig {
  readonly clock: FakeClock;
  readonly batches: TestBatch[] = [];
  readonly defects: unknown[] = [];
  readonly scheduler: BatchScheduler<TestRequest, string>;
  #made = 0;

  constructor(
    options: Partial<SchedulerOptions>,
    ports: Partial<SchedulerPorts<TestRequest, string>> = {},
    clock = new FakeClock(),
  ) {
    this.clock = clock;
    const all: SchedulerPorts<TestRequest, string> = {
      clock: this.clock,
      run: (batch) => this.batches.push(batch),
      onDefect: (thrown) => this.defects.push(thrown),
      ...ports,
    };
    this.scheduler = BatchScheduler.create<TestRequest, string>({ name: 'digits version 3', ...options }, all);
  }

  /** Enqueues a request that must be accepted. */
  add(rows: number, options: RequestOptions & { readonly label?: string } = {}): TestRequest {
    const request = new TestRequest(options.label ?? String.fromCharCode(97 + this.#made++), rows, options);
    const refused = this.scheduler.enqueue(request);
    if (refused) throw refused;
    return request;
  }

  /** What batch number `index` (from 0) has, as `label:rows` of its parts. */
  shape(index: number): string {
    const batch = this.batches[index];
    return batch ? batch.parts.map((part) => `${part.request.label}:${part.rows}`).join(' ') : 'no batch';
  }

  shapes(): string[] {
    return this.batches.map((_, index) => this.shape(index));
  }

  /** Ends a batch well: first its instance, then its answers. */
  finish(index: number): void {
    const batch = this.batches[index]!;
    batch.free();
    batch.complete('result', batch.paddedRows);
  }
}
