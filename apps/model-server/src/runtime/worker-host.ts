import { Worker } from 'node:worker_threads';
import type { SluiceError } from '@sluice/domain/errors';
import { disableOnnxTelemetry } from '@sluice/service-kit/onnx-telemetry';
import { Doorbell } from './control-block.ts';
import type { Envelope, FromWorker, SessionSettings, ToWorker, WorkerStart } from './messages.ts';
import { doingOf, newMarkStart, type MarkStart, type ThreadDoing } from './thread-mark.ts';

/** What a session hears of its thread. */
export interface HostedSession {
  receive(message: FromWorker): void;
  /** The thread ended without having been told to. @param running it ran a batch of this session when it did */
  lost(code: number, cause: unknown, running: boolean): void;
  /**
   * The thread is given up, although it has not ended: a native call for the version of this number in the crash file does
   * not, and nothing that the thread has will be answered by it.
   */
  givenUp(crashNumber: number, error: SluiceError): void;
}

/** Where threads get their marks in the crash file, and who watches them. */
export interface ThreadRegister {
  started(thread: WorkerHost): MarkStart;
  ended(thread: WorkerHost, mark: MarkStart): void;
}

/** Threads that nobody watches. */
const unwatched: ThreadRegister = { started: () => newMarkStart(), ended: () => undefined };

const workerFile = new URL(`./session-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** A thread for sessions, seen from the main thread. It ends with its last session. */
export class WorkerHost {
  readonly #bell = new Doorbell();
  readonly #worker: Worker;
  readonly #sessions = new Map<number, HostedSession>();
  #lastSession = 0;
  #cause: unknown;
  #ended: Promise<unknown> | undefined;
  readonly #register: ThreadRegister;
  readonly #mark: MarkStart;

  constructor(register: ThreadRegister = unwatched) {
    disableOnnxTelemetry();
    this.#register = register;
    this.#mark = register.started(this);
    const workerData: WorkerStart = { bell: this.#bell.memory, mark: this.#mark };
    this.#worker = new Worker(workerFile, { workerData, name: 'sessions' });
    this.#worker.on('message', ({ session, message }: Envelope<FromWorker>) => {
      this.#sessions.get(session)?.receive(message);
    });
    this.#worker.on('error', (error) => (this.#cause = error));
    this.#worker.on('exit', (code) => this.#exited(code));
  }

  /** False once it has ended or is about to: open sessions elsewhere. */
  get alive(): boolean {
    return this.#ended === undefined;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Loads a graph in the thread; what became of it is told to `session`. Returns the session's number here. */
  open(session: HostedSession, control: SharedArrayBuffer, settings: SessionSettings): number {
    const id = ++this.#lastSession;
    this.#sessions.set(id, session);
    this.post(id, { kind: 'open', control, settings });
    this.ring();
    return id;
  }

  post(session: number, message: ToWorker): void {
    this.#worker.postMessage({ session, message } satisfies Envelope<ToWorker>);
  }

  ring(): void {
    this.#bell.ring();
  }

  /** Forgets a session that has been closed or never loaded; without any other, the thread ends. */
  async leave(session: number): Promise<void> {
    this.#sessions.delete(session);
    if (this.#sessions.size > 0) return;
    // It sleeps now: ending it in the middle of a run would end the process.
    this.#ended ??= this.#worker.terminate();
    await this.#ended;
  }

  /** What it is in native code for now; undefined when it is not. */
  doing(): ThreadDoing | undefined {
    return doingOf(this.#mark.memory);
  }

  /** Answers for a native call that does not end. @param error what the requests of that version get */
  giveUp(crashNumber: number, error: SluiceError): void {
    const left = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const session of left) session.givenUp(crashNumber, error);
  }

  #exited(code: number): void {
    this.#register.ended(this, this.#mark);
    this.#ended ??= Promise.resolve();
    const lost = [...this.#sessions];
    this.#sessions.clear();
    const running = this.#bell.running();
    for (const [id, session] of lost) session.lost(code, this.#cause, id === running);
  }
}
