import type { ErrorKind } from '@sluice/domain/errors';

/** What a script can tell from the exit status; README.md has the same table. */
export const exitCodes = {
  ok: 0,
  /** Something broke, an audit log does not verify, or a measurement is not sound. */
  failed: 1,
  /** The command line or its input is wrong. */
  usage: 2,
  notFound: 3,
  /** The state forbids it: refused, rejected, in conflict, or not allowed. */
  refused: 4,
  /** A service is away, busy, or too slow; the same command may work soon. */
  unavailable: 5,
  /** The change was made, but not every router has applied it yet. */
  incomplete: 6,
  /** Stopped by Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const codeByKind: Readonly<Record<ErrorKind, ExitCode>> = {
  'invalid-argument': exitCodes.usage,
  'not-found': exitCodes.notFound,
  'already-exists': exitCodes.refused,
  'failed-precondition': exitCodes.refused,
  'out-of-range': exitCodes.refused,
  conflict: exitCodes.refused,
  'permission-denied': exitCodes.refused,
  'resource-exhausted': exitCodes.unavailable,
  'deadline-exceeded': exitCodes.unavailable,
  cancelled: exitCodes.interrupted,
  unavailable: exitCodes.unavailable,
  unimplemented: exitCodes.failed,
  'data-loss': exitCodes.failed,
  'model-failed': exitCodes.failed,
  internal: exitCodes.failed,
};

export const exitCodeOf = (kind: ErrorKind): ExitCode => codeByKind[kind];

/** Ends a command with a status of its own and a message; `hint` says what to do next. */
export class CliError extends Error {
  readonly code: ExitCode;
  readonly hint: string;

  constructor(code: ExitCode, message: string, hint = '') {
    super(message);
    this.name = 'CliError';
    this.code = code;
    this.hint = hint;
  }
}

export const usageError = (message: string, hint = ''): CliError => new CliError(exitCodes.usage, message, hint);
