import { SluiceError } from '@sluice/domain/errors';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { formatNote, parseNote, type SignedCheckpoint } from './checkpoint.ts';

/** Where checkpoints are kept outside the database, so that a database that was put back is found out. */
export interface CheckpointSink {
  /** Makes the checkpoint the latest, and that of its hour. Writing the same one again changes nothing. */
  put(checkpoint: SignedCheckpoint): Promise<void>;
  /** The one that was put last. Errors: `data-loss` when it cannot be read as one. */
  latest(): Promise<SignedCheckpoint | undefined>;
  /** The last one of each hour, in the order of hours, and the latest. Errors: `data-loss`. */
  all(): AsyncIterable<SignedCheckpoint>;
}

/** The document that has the latest checkpoint. */
export const latestName = 'audit-checkpoint-latest';
const hourPrefix = 'audit-checkpoint-hour-';

/** Checkpoints as documents of the artifact store, which all replicas share. One per hour, so that they stay countable. */
export function documentSink(
  store: Pick<ArtifactStore, 'writeDocument' | 'readDocument' | 'listDocuments'>,
): CheckpointSink {
  return {
    async put(checkpoint) {
      const note = Buffer.from(formatNote(checkpoint), 'utf8');
      await store.writeDocument(hourName(checkpoint), note);
      await store.writeDocument(latestName, note);
    },
    latest: () => readNote(store, latestName),
    async *all() {
      const latest = await readNote(store, latestName);
      let seen = false;
      for (const name of await store.listDocuments(hourPrefix)) {
        const checkpoint = await readNote(store, name);
        seen ||= checkpoint?.body === latest?.body;
        if (checkpoint) yield checkpoint;
      }
      if (latest && !seen) yield latest;
    },
  };
}

function hourName({ signedAt }: SignedCheckpoint): string {
  return (
    hourPrefix +
    new Date(signedAt)
      .toISOString()
      .slice(0, 13)
      .replaceAll(/[^0-9]/g, '')
  );
}

async function readNote(
  store: Pick<ArtifactStore, 'readDocument'>,
  name: string,
): Promise<SignedCheckpoint | undefined> {
  const bytes = await store.readDocument(name);
  if (!bytes) return undefined;
  const checkpoint = parseNote(Buffer.from(bytes).toString('utf8'));
  if (!checkpoint) throw damagedDocument(name, 'is not a checkpoint');
  return checkpoint;
}

/** `data-loss` with the way out: a document that is gone is made up for by the others, and by the database's own. */
export function damagedDocument(name: string, problem: string): SluiceError {
  return new SluiceError(
    'data-loss',
    `document ${name} of the artifact store ${problem}: it was damaged or tampered with. Keep a copy for whoever looks ` +
      `into that and take it away (documents/${name} in the folder of --artifact-dir): the checkpoints of the hours and of ` +
      'the database stand in for it, and a new one is written',
  );
}
