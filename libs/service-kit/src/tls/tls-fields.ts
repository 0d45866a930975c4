import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { field } from '../config.ts';
import type { Field } from '../config.ts';

// An alias, not an interface: only aliases fit into a `ConfigSpec`.
export type TlsFields = {
  readonly tlsCertFile: Field<string>;
  readonly tlsKeyFile: Field<string>;
  readonly tlsClientCaFile: Field<string>;
  readonly tlsCaFile: Field<string>;
};

const path = z.string().refine((text) => text === '' || isAbsolute(text), 'expected an absolute path');

/** Settings that name PEM files; `openTls` reads them. */
export function tlsFields(): TlsFields {
  return {
    tlsCertFile: field(path, {
      doc: 'PEM file of the certificate, with its chain; with it all ports speak TLS. Empty: they are plain',
      default: '',
    }),
    tlsKeyFile: field(path, { doc: 'PEM file of its key', default: '' }),
    tlsClientCaFile: field(path, {
      doc: 'PEM file of authorities; callers must show a certificate that one of them signed. Empty: anybody may call',
      default: '',
    }),
    tlsCaFile: field(path, {
      doc: 'PEM file of authorities; with it calls to other services use TLS, and their certificates must be signed by one of them',
      default: '',
    }),
  };
}
