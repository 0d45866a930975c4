import { SluiceError, type ErrorKind } from '@sluice/domain/errors';
import { QueryRunnerAlreadyReleasedError } from 'typeorm';

/**
 * The only table from SQLSTATE to error kind. A code of five characters wins over its class of two; what is in neither
 * is a defect of ours and becomes `internal`. Source: appendix A of the PostgreSQL manual.
 */
export const sqlstateKinds: Readonly<Record<string, ErrorKind>> = {
  // Connection exceptions: the server is away or went away.
  '08': 'unavailable',
  '08P01': 'internal',
  // Feature not supported.
  '0A': 'internal',
  // Data exceptions: a value that the column cannot hold.
  '22': 'invalid-argument',
  '23505': 'already-exists',
  '23503': 'failed-precondition',
  // Use cases check first; a constraint that still fires shows a defect.
  '23': 'internal',
  // A write in a read-only transaction is a defect; a server that became a standby is not.
  '25006': 'unavailable',
  // Idle in a transaction for too long: we were stopped or cut off.
  '25P03': 'unavailable',
  '28': 'unavailable',
  // The database does not exist (yet): start in any order.
  '3D000': 'unavailable',
  '40001': 'conflict',
  '40P01': 'conflict',
  // Completion unknown: the connection broke during COMMIT.
  '40003': 'unavailable',
  '42501': 'permission-denied',
  // A table that is missing means that the migrations have not run.
  '42P01': 'failed-precondition',
  '53': 'resource-exhausted',
  '53300': 'unavailable',
  '54': 'invalid-argument',
  '55P03': 'unavailable',
  '55': 'failed-precondition',
  // Cancelled by statement_timeout.
  '57014': 'deadline-exceeded',
  // Shutting down, crashed, starting up, dropped.
  '57P': 'unavailable',
  // An I/O error or a file that is missing.
  '58': 'unavailable',
  // RAISE in our own functions and triggers.
  P0001: 'failed-precondition',
  XX001: 'data-loss',
  XX002: 'data-loss',
  XX: 'internal',
};

/** What a caller may read; the server's own words may hold values and stay in the cause. */
const messages: Partial<Record<ErrorKind, string>> = {
  unavailable: 'the database is not available: try again',
  conflict: 'the database could not serialise this change with others: try again',
  'resource-exhausted': 'the database is out of disk, memory or connections',
  'deadline-exceeded': 'the database took longer than its statement time-out',
  'already-exists': 'an object with this key exists already',
  'failed-precondition': 'the state of the database forbids this',
  'permission-denied': 'the database role may not do this',
  'invalid-argument': 'a value does not fit its column',
  'data-loss': 'the database reports damaged data',
};

const connectionCodes: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** `pg` gives these no code; the texts are those of pg 8 and pg-pool 3. */
const connectionTexts = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Cannot use a pool after calling end on the pool',
  'Client was closed and is not queryable',
  'Query read timeout',
];

/** The kind of a SQLSTATE: by code, then by its first three characters, then by class, else `internal`. */
export function kindOfSqlstate(code: string): ErrorKind {
  return sqlstateKinds[code] ?? sqlstateKinds[code.slice(0, 3)] ?? sqlstateKinds[code.slice(0, 2)] ?? 'internal';
}

/** The SQLSTATE of an error thrown by `pg` or by TypeORM around it; undefined when it came from somewhere else. */
export function sqlstateOf(thrown: unknown): string | undefined {
  const code = (driverError(thrown) as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !connectionCodes.has(code) ? code : undefined;
}

/** The constraint that was violated, when the server named one. */
export function constraintOf(thrown: unknown): string | undefined {
  const constraint = (driverError(thrown) as { constraint?: unknown } | undefined)?.constraint;
  return typeof constraint === 'string' ? constraint : undefined;
}

/** Turns whatever a database call threw into a SluiceError; one that is a SluiceError already stays as it is. */
export function fromDatabase(thrown: unknown): SluiceError {
  // The driver's own error is the cause: TypeORM's wrapper also holds the parameters, which are not for logs.
  const cause = driverError(thrown);
  if (cause instanceof SluiceError) return cause;
  const kind = kindOf(cause);
  const message = isRefusedLogin(cause) ? refusedLogin : messages[kind];
  return new SluiceError(kind, message ?? 'internal error', { cause });
}

const refusedLogin =
  'the database refuses the role or the password of SLUICE_DATABASE_URL: correct the setting, or run migrate, which makes the role with this password';

/** Whether the server was reached and would not let us in: waiting does not change that. */
export const isRefusedLogin = (thrown: unknown): boolean => sqlstateOf(thrown)?.startsWith('28') === true;

function kindOf(thrown: unknown): ErrorKind {
  const sqlstate = sqlstateOf(thrown);
  if (sqlstate !== undefined) return kindOfSqlstate(sqlstate);
  const error = driverError(thrown);
  if (!(error instanceof Error)) return 'internal';
  // TypeORM takes a query runner back as soon as its connection breaks; the next statement meets this.
  if (error instanceof QueryRunnerAlreadyReleasedError) return 'unavailable';
  const code = (error as NodeJS.ErrnoException).code;
  if (code !== undefined && connectionCodes.has(code)) return 'unavailable';
  if (error instanceof AggregateError && error.errors.length > 0) return kindOf(error.errors[0]);
  return connectionTexts.some((text) => error.message.startsWith(text)) ? 'unavailable' : 'internal';
}

/** TypeORM wraps what the driver threw. */
function driverError(thrown: unknown): unknown {
  if (thrown instanceof Error && 'driverError' in thrown) return thrown.driverError;
  return thrown;
}
