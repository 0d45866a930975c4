import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { failedPrecondition } from '@sluice/domain/errors';
import { readFileIfAny, writeFileAtomic } from '@sluice/service-kit/atomic-file';
import { z } from 'zod';

export interface Secrets {
  /** Of the cluster's superuser, who also owns the tables. */
  readonly ownerPassword: string;
  /** Of the role that the registry runs as. */
  readonly registryPassword: string;
  /** PEM file of the Ed25519 key that signs audit checkpoints. */
  readonly auditKeyFile: string;
}

const stored = z.object({ ownerPassword: z.string().min(1), registryPassword: z.string().min(1) });

/**
 * Reads the secrets in `folder`, or makes them: random passwords and a new audit key, each in a file that only its owner
 * reads. Losing them means losing access to the data beside them, so they are never made anew over old ones. Throws
 * `failed-precondition` when they belong to another user.
 */
export async function openSecrets(folder: string): Promise<Secrets> {
  try {
    return await readOrMake(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw failedPrecondition(
      `the secrets in ${folder} belong to another user: start as that user or as root, or with a home of your own, as in \`npm start -- --home ~/sluice\``,
    );
  }
}

async function readOrMake(folder: string): Promise<Secrets> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const passwordFile = path.join(folder, 'postgres.json');
  const auditKeyFile = path.join(folder, 'audit-key.pem');
  let passwords = await readFileIfAny(passwordFile);
  if (passwords === undefined) {
    const made = { ownerPassword: randomBytes(24).toString('hex'), registryPassword: randomBytes(24).toString('hex') };
    passwords = Buffer.from(`${JSON.stringify(made, null, 2)}\n`);
    await writeFileAtomic(passwordFile, passwords, 0o600);
  }
  if ((await readFileIfAny(auditKeyFile)) === undefined) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFileAtomic(auditKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  }
  return { ...stored.parse(JSON.parse(Buffer.from(passwords).toString())), auditKeyFile };
}
