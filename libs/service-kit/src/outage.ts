import { SluiceError } from '@sluice/domain/errors';
import type { Logger } from './logger.ts';

/**
 * Logs that something a service needs is away, as will happen: a warning of one line that says why, and at `debug` the error itself
 * with its stack.
 *
 * @param error why
 * @param text what follows from it
 * @param fields that both lines have
 */
export function logOutage(
  logger: Pick<Logger, 'warn' | 'debug'>,
  error: unknown,
  text: string,
  fields: Readonly<Record<string, unknown>> = {},
): void {
  logger.warn({ ...fields, reason: reasonOf(error) }, text);
  logger.debug({ ...fields, err: error }, text);
}

/** Logs what failed: as an outage where something was away, with its stack where that is not so. */
export function logFailure(logger: Pick<Logger, 'warn' | 'debug'>, error: unknown, text: string): void {
  if (SluiceError.from(error).kind === 'unavailable') logOutage(logger, error, text);
  else logger.warn({ err: error }, text);
}

/** Causes beyond these say nothing to a person. */
const mostCauses = 4;

/** What an error and its causes say, in one line; nothing is said twice. */
export function reasonOf(error: unknown): string {
  const said: string[] = [];
  let each = error;
  for (let depth = 0; each !== undefined && each !== null && depth < mostCauses; depth++) {
    // Errors of several addresses have a code and no text.
    const { message, code, cause } = each as { message?: unknown; code?: unknown; cause?: unknown };
    const text = [message, code, typeof each === 'object' ? 'unknown' : each].find(
      (one) => one !== undefined && one !== '',
    );
    const line = String(text).split('\n')[0]!;
    if (!said.some((before) => before.includes(line))) said.push(line);
    each = cause;
  }
  return said.join(': ');
}
