import { SluiceError } from '@sluice/domain/errors';
import { RpcError } from '@sluice/rpc/status';
import { CliError, type ExitCode, exitCodeOf } from './exit-codes.ts';

export interface Explanation {
  readonly code: ExitCode;
  readonly message: string;
  /** What to do next; '' when the message says it. */
  readonly hint: string;
}

export interface Addresses {
  readonly registry: readonly string[];
  readonly router: readonly string[];
  readonly feedback: readonly string[];
}

/** What went wrong, for people, with the exit status and the next step. */
export function explain(thrown: unknown, addresses: Addresses): Explanation {
  if (thrown instanceof CliError) return { code: thrown.code, message: thrown.message, hint: thrown.hint };
  const file = fileProblem(thrown);
  if (file) return { code: 2, message: file, hint: '' };
  const error = SluiceError.from(thrown);
  const code = exitCodeOf(error.kind);
  if (error instanceof RpcError && (error.origin === 'unsent' || error.origin === 'lost')) {
    return { code, message: connectionMessage(error), hint: connectionHint(error.message, addresses) };
  }
  const message =
    error.kind === 'internal' && error.cause !== undefined ? `${error.message}: ${text(error.cause)}` : error.message;
  return { code, message, hint: hints[error.kind] ?? unknownModelHint(message) };
}

/** The words of the protocol, which every server of it has, say nothing of what to do. */
const unknownModelHint = (message: string): string =>
  message.startsWith('Request for unknown model')
    ? '`sluice models` lists the models, `sluice versions MODEL` the versions of one.'
    : '';

const hints: Readonly<Partial<Record<SluiceError['kind'], string>>> = {
  conflict: 'Somebody else changed it first: look at it again and repeat the command.',
  'deadline-exceeded':
    'It took too long; the log of the service says why. A change may have been made all the same: look before you repeat it.',
  internal: 'The log of the service has the cause.',
};

/** gRPC wraps the one word that helps, such as ECONNREFUSED, in several that do not. */
function connectionMessage(error: RpcError): string {
  const word = /\b(E[A-Z]{4,})\b/.exec(error.message)?.[1];
  const [head] = error.message.split(': ');
  return word === undefined ? error.message : `${head!} (${word})`;
}

function connectionHint(message: string, addresses: Addresses): string {
  // Where nothing listens, TLS is not what is missing.
  const tls = message.includes('ECONNREFUSED') ? '' : ' One with TLS wants --tls-ca-file FILE.';
  const [what, option, variable] = serviceOf(message, addresses);
  return `Is ${what === 'feedback' ? what : `a ${what}`} running there? \`npm start\` starts the platform on this machine; ${option} HOST:PORT or ${variable} names another.${tls}`;
}

/** The service at the address that a message names, with its option and variable. */
function serviceOf(message: string, { router, feedback }: Addresses): readonly [string, string, string] {
  const isOneOf = (addresses: readonly string[]): boolean => addresses.some((address) => message.includes(address));
  if (isOneOf(router)) return ['router', '--router', 'SLUICE_ROUTER'];
  if (isOneOf(feedback)) return ['feedback', '--feedback', 'SLUICE_FEEDBACK'];
  return ['registry', '--registry', 'SLUICE_REGISTRY'];
}

/** A failure to read or write a file that the user named. */
function fileProblem(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('path' in thrown)) return undefined;
  const { code, path } = thrown as NodeJS.ErrnoException;
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'does not exist',
    EACCES: 'may not be read',
    EISDIR: 'is a folder',
    ENOTDIR: 'is not a folder',
  };
  return path === undefined ? undefined : `${path} ${reasons[code ?? ''] ?? `cannot be used (${code ?? 'unknown'})`}`;
}

const text = (value: unknown): string => (value instanceof Error ? value.message : String(value));
