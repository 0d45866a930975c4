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
  /** Of the role that feedback runs as. */
  readonly feedbackPassword: string;
  /** PEM file of the Ed25519 key that signs audit checkpoints. */
  readonly auditKeyFile: string;
  /** File of the key of the routers' evidence. */
  readonly evidenceKeyFile: string;
  /** File of the key that wraps the keys of subjects. */
  readonly feedbackKeyFile: string;
}

const password = z.string().min(1);
/** Homes of before there was feedback have no password for it. */
const stored = z.object({ ownerPassword: password, registryPassword: password, feedbackPassword: password.optional() });

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
  const [evidenceKeyFile, feedbackKeyFile] = ['evidence', 'feedback'].map((name) =>
    path.join(folder, `${name}-key.hex`),
  ) as [string, string];
  const found = await readFileIfAny(passwordFile);
  const known = found && stored.parse(JSON.parse(Buffer.from(found).toString()));
  const { ownerPassword = made(), registryPassword = made(), feedbackPassword = made() } = known ?? {};
  const passwords = { ownerPassword, registryPassword, feedbackPassword };
  if (known?.feedbackPassword === undefined)
    await writeFileAtomic(passwordFile, Buffer.from(`${JSON.stringify(passwords, null, 2)}\n`), 0o600);
  if ((await readFileIfAny(auditKeyFile)) === undefined) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFileAtomic(auditKeyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  }
  for (const file of [evidenceKeyFile, feedbackKeyFile])
    if ((await readFileIfAny(file)) === undefined)
      await writeFileAtomic(file, Buffer.from(`${randomBytes(32).toString('hex')}\n`), 0o600);
  return { ...passwords, auditKeyFile, evidenceKeyFile, feedbackKeyFile };
}

const made = (): string => randomBytes(24).toString('hex');
