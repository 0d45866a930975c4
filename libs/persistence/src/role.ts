import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import type { WriteTransaction } from './transaction.ts';

const iterations = 4096;

/**
 * The form in which Postgres stores a password (RFC 5803). Sending this instead of the password keeps it out of the
 * server's logs and statistics, where the text of a CREATE ROLE may appear.
 */
export function scramVerifier(password: string, salt: Uint8Array = randomBytes(16)): string {
  const salted = pbkdf2Sync(password.normalize('NFKC'), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${Buffer.from(salt).toString('base64')}$${storedKey}:${serverKey}`;
}

/**
 * Makes a login role when it is missing, else gives it the password; a role that is somebody else's to change is left as
 * it is. `name` must be a plain lower-case name. Safe beside another that does the same.
 */
export async function ensureRole(tx: WriteTransaction, name: string, password: string): Promise<void> {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) throw new TypeError(`role ${name} is not a plain name`);
  const verifier = scramVerifier(password);
  // Neither value can hold a quote: the name is checked, the verifier is base64 and digits.
  await tx.execute(`DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${name}') THEN
      BEGIN
        CREATE ROLE ${name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD '${verifier}';
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
      END;
    ELSE
      BEGIN
        ALTER ROLE ${name} PASSWORD '${verifier}';
      EXCEPTION WHEN insufficient_privilege THEN NULL;
      END;
    END IF;
  END $$`);
}
