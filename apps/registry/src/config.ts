import { isAbsolute } from 'node:path';
import { databaseAddress } from '@sluice/service-kit/addresses';
import { commonFields } from '@sluice/service-kit/common-config';
import type { Config } from '@sluice/service-kit/config';
import { booleanField, field, integerField } from '@sluice/service-kit/config';
import { z } from 'zod';

const absolute = z.string().refine(isAbsolute, 'expected an absolute path');

/** Every setting of the registry; the README's table is made of it. */
export const configSpec = {
  ...commonFields('registry', { port: 8101, metricsPort: 8102, adminPort: 8103 }),
  databaseUrl: field(databaseAddress, {
    doc: 'Database address with the service role, which owns no table',
    secret: true,
    flag: false,
  }),
  databasePoolSize: integerField({ min: 2, max: 200 }, { doc: 'Most connections to the database', default: 10 }),
  artifactDir: field(absolute, { doc: 'Folder of the artifact store; all replicas must see the same one' }),
  auditKeyFile: field(absolute, { doc: 'File of the Ed25519 key that signs audit checkpoints' }),
  rotateAuditKey: booleanField({
    doc: 'Make the key in the file the current one of the audit log; leaves an audit entry',
    default: false,
  }),
  acceptRestore: booleanField({
    doc: 'Start although the database is older than the last checkpoint; leaves an audit entry',
    default: false,
  }),
  retainMs: integerField(
    { min: 0, max: 7 * 86_400_000 },
    { doc: 'Milliseconds that a version stays placed after an alias has left it', default: 30 * 60_000 },
  ),
  admissionTimeoutMs: integerField(
    { min: 1_000, max: 3_600_000 },
    { doc: 'Milliseconds after which the admission of a version is ended and the version rejected', default: 120_000 },
  ),
  admissionMemoryBytes: integerField(
    { min: 256 * 1024 ** 2 },
    { doc: 'Resident bytes of an admission above which it is ended and the version rejected', default: 4 * 1024 ** 3 },
  ),
  admissionConcurrency: integerField({ min: 1, max: 64 }, { doc: 'Admissions that run at once', default: 1 }),
  artifactGraceMs: integerField(
    { min: 60_000 },
    { doc: 'Milliseconds after its last use that an artifact without a version is deleted', default: 86_400_000 },
  ),
};

export type RegistryConfig = Config<typeof configSpec>;
