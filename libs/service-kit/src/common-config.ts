import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { field, integerField, portField } from './config.ts';
import type { Config, Field } from './config.ts';
import { logLevels } from './logger.ts';
import type { Logger, LogLevel } from './logger.ts';
import { tlsFields } from './tls/tls-fields.ts';
import type { TlsFields } from './tls/tls-fields.ts';

// An alias, not an interface: only aliases fit into a `ConfigSpec`.
export type CommonFields = TlsFields & {
  readonly host: Field<string>;
  readonly port: Field<number>;
  readonly metricsPort: Field<number>;
  readonly adminPort: Field<number>;
  readonly logLevel: Field<LogLevel>;
  readonly instanceId: Field<string>;
  readonly drainMs: Field<number>;
  readonly maxMessageBytes: Field<number>;
};

/** The settings that every service has. */
export function commonFields(
  service: string,
  ports: { readonly port: number; readonly metricsPort: number; readonly adminPort: number },
): CommonFields {
  return {
    host: field(z.string().min(1, 'expected a host name or address'), {
      doc: 'Address that all ports bind',
      default: '127.0.0.1',
    }),
    port: portField({ doc: 'Public gRPC port; 0 takes a free one', default: ports.port }),
    metricsPort: portField({ doc: 'HTTP port of /metrics; 0 takes a free one', default: ports.metricsPort }),
    adminPort: portField({ doc: 'Administrative gRPC port; 0 takes a free one', default: ports.adminPort }),
    logLevel: field(z.enum(logLevels), {
      doc: `Least severe lines to print: ${logLevels.join(', ')}`,
      default: 'info',
    }),
    instanceId: field(
      z.string().regex(/^[A-Za-z0-9._-]{1,100}$/, 'expected 1 to 100 of letters, digits, ".", "_", "-"'),
      {
        doc: 'Name of this process in logs, metrics and leases',
        default: `${service}-${randomBytes(3).toString('hex')}`,
        defaultText: `${service}-xxxxxx`,
      },
    ),
    drainMs: integerField(
      { min: 0, max: 3_600_000 },
      { doc: 'Milliseconds that requests in flight get at a stop; 0 ends them at once', default: 10_000 },
    ),
    maxMessageBytes: integerField(
      { min: 1024, max: 1024 ** 3 },
      { doc: 'Largest message taken or sent, in bytes after decompression', default: 64 * 1024 * 1024 },
    ),
    ...tlsFields(),
  };
}

/** Whether only this machine can reach a port that is bound to `host`. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host) || /^::ffff:127\./i.test(host);
}

/** Warns when ports without TLS, or with TLS for everybody, can be reached from other machines. */
export function warnIfExposed(
  logger: Pick<Logger, 'warn'>,
  { host, tlsCertFile, tlsClientCaFile }: Pick<Config<CommonFields>, 'host' | 'tlsCertFile' | 'tlsClientCaFile'>,
): void {
  if (isLoopback(host)) return;
  if (tlsCertFile === '')
    logger.warn(
      { host },
      'ports are open to other machines without TLS or authentication: set SLUICE_TLS_CERT_FILE, SLUICE_TLS_KEY_FILE and SLUICE_TLS_CLIENT_CA_FILE, or put them behind a proxy that has both',
    );
  else if (tlsClientCaFile === '')
    logger.warn(
      { host },
      'ports are open to other machines without authentication: set SLUICE_TLS_CLIENT_CA_FILE, or let only those reach them who may',
    );
}
