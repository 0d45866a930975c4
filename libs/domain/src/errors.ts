/**
 * The kinds of failure that Sluice knows. `libs/rpc` maps each to a gRPC status, `libs/persistence` maps SQLSTATEs to
 * kinds, `libs/resilience` says which kinds may be retried; there are no other tables.
 */
export const errorKinds = [
  /** The request is wrong whatever the state is; the message names the field, what was expected and what came. */
  'invalid-argument',
  /** A named object does not exist. */
  'not-found',
  'already-exists',
  /** The request is fine but the state forbids it; retrying without a change of state will not help. */
  'failed-precondition',
  /** What was asked for lies before or behind all that is there, such as a place in a stream that has expired. */
  'out-of-range',
  /** Somebody else changed the object first; read it again and decide anew. */
  'conflict',
  /** The actor may not do this. */
  'permission-denied',
  /** A bound was reached: queue, memory, disk or rate. */
  'resource-exhausted',
  'deadline-exceeded',
  'cancelled',
  /** A dependency is away or not ready; the same request may work soon. */
  'unavailable',
  'unimplemented',
  /** Stored bytes are not what was stored. */
  'data-loss',
  /** The model's graph failed on this input. What it said may quote the input: it is for the caller, not for a log. */
  'model-failed',
  /** A defect of ours. The cause is logged, never sent. */
  'internal',
] as const;

export type ErrorKind = (typeof errorKinds)[number];

export interface SluiceErrorOptions {
  /** What caused it; kept for logs, never sent to a caller. */
  readonly cause?: unknown;
  /** When retrying may help: how long to wait first, in milliseconds. Sent as `grpc-retry-pushback-ms`. */
  readonly retryAfterMs?: number;
  /**
   * The request may have ended a process or a thread that worked on it: nobody is to send it again, to whatever version.
   * Sent as `sluice-never-again`.
   */
  readonly neverAgain?: boolean;
}

/** The one error type that crosses layers. Its message is safe to show to a caller. */
export class SluiceError extends Error {
  readonly kind: ErrorKind;
  readonly retryAfterMs: number | undefined;
  readonly neverAgain: boolean;

  constructor(kind: ErrorKind, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
    this.neverAgain = options.neverAgain ?? false;
  }

  /** The only entrance for caught values: a SluiceError stays as it is, all else becomes `internal` with its cause. */
  static from(thrown: unknown): SluiceError {
    if (thrown instanceof SluiceError) return thrown;
    return new SluiceError('internal', 'internal error', { cause: thrown });
  }
}

export const invalidArgument = (message: string): SluiceError => new SluiceError('invalid-argument', message);
export const notFound = (message: string): SluiceError => new SluiceError('not-found', message);
export const failedPrecondition = (message: string): SluiceError => new SluiceError('failed-precondition', message);
export const unavailable = (message: string, options?: SluiceErrorOptions): SluiceError =>
  new SluiceError('unavailable', message, options);
