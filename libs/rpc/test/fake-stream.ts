import { Duplex } from 'node:stream';
import { Metadata } from '@grpc/grpc-js';

/** The stream as grpc-js would hand it over, with a caller that reads when the test says so. */
export class FakeStream extends Duplex {
  readonly metadata = new Metadata();
  readonly sent: string[] = [];
  /** `OK`, or code and details. */
  status: string | undefined;
  trailers: Metadata | undefined;
  deadline = Infinity;
  reads = true;
  /** Messages that were handed on so far. */
  asked = 0;
  readonly #incoming: Buffer[] = [];
  readonly #unread: (() => void)[] = [];
  #isAsked = false;

  constructor() {
    super({ objectMode: true });
    this.on('error', (error: Error & { code: number; metadata: Metadata }) => {
      this.status = `${error.code} ${error.message}`;
      this.trailers = error.metadata;
    });
  }

  getPeer(): string {
    return '127.0.0.1:1';
  }
  getDeadline(): number {
    return this.deadline;
  }

  come(...texts: string[]): void {
    for (const text of texts) this.#incoming.push(Buffer.from(text));
    this.#handOn();
  }
  halfClose(): void {
    this.push(null);
  }

  /** Reads everything that waits, and from now on at once. */
  readAll(): void {
    this.reads = true;
    for (const done of this.#unread.splice(0)) done();
  }

  override _read(): void {
    this.#isAsked = true;
    this.#handOn();
  }
  #handOn(): void {
    if (!this.#isAsked || this.#incoming.length === 0) return;
    this.#isAsked = false;
    this.asked++;
    this.push(this.#incoming.shift());
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent.push(chunk.toString());
    if (this.reads) done();
    else this.#unread.push(done);
  }
  override end(trailers?: unknown): this {
    if (trailers instanceof Metadata) {
      this.status ??= 'OK';
      this.trailers = trailers;
    }
    return super.end();
  }
}
