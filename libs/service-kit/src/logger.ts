import { pino, stdTimeFunctions } from 'pino';
import type { DestinationStream, Logger } from 'pino';

export type { Logger } from 'pino';

export const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Fields that never reach a log, wherever a caller puts them: secrets, and what people send for inference. */
const hiddenFields = [
  'password',
  'secret',
  'token',
  'authorization',
  'databaseUrl',
  'ownerDatabaseUrl',
  'privateKey',
  'payload',
  'rawInputContents',
  'rawOutputContents',
  'contents',
];

export interface LoggerOptions {
  readonly service: string;
  readonly instance: string;
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Where lines go; default standard output, written synchronously so that the last line before a crash is not lost. */
  readonly stream?: DestinationStream;
}

/**
 * A logger of JSON lines with `time` (ISO 8601, UTC), `severity`, `service`, `instance` and `msg`. Errors go under `err`
 * with their causes; give `prediction_id` as a field where there is one. Known secret fields read "[hidden]".
 */
export function createLogger(options: LoggerOptions): Logger {
  return pino(
    {
      level: options.level ?? 'info',
      base: { service: options.service, instance: options.instance },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ severity: label }) },
      redact: { paths: hiddenFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), censor: '[hidden]' },
    },
    options.stream ?? pino.destination({ dest: 1, sync: true }),
  );
}
