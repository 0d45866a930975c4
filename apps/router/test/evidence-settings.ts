import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { keptPort } from '@sluice/testkit/kept-port';
import { temporaryFolder } from './world.ts';

/**
 * Settings of a router that keeps evidence, for a feedback that nobody has started.
 *
 * @param folder for its state; one of its own where none is given
 */
export async function evidenceSettings(folder?: string): Promise<{
  readonly feedbackPort: number;
  readonly stateDir: string;
  readonly settings: Readonly<Record<string, string>>;
}> {
  const [stateDir, feedbackPort] = [folder ?? (await temporaryFolder()), await keptPort()];
  const keyFile = join(stateDir, 'evidence.key');
  await writeFile(keyFile, 'ab'.repeat(32), { mode: 0o600 });
  const settings = {
    SLUICE_STATE_DIR: stateDir,
    SLUICE_FEEDBACK: `127.0.0.1:${feedbackPort}`,
    SLUICE_EVIDENCE_KEY_FILE: keyFile,
  };
  return { feedbackPort, stateDir, settings };
}
