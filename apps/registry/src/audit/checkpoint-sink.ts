import { SluiceError } from '@sluice/domain/errors';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { formatNote, parseNote, type SignedCheckpoint } from './checkpoint.ts';

/** Where checkpoints are kept outside the database, so that a database that was put back is found out. */
export interface CheckpointSink {
  /** Keeps the checkpoint, and makes it the latest. Writing the same one again changes nothing. */
  put(checkpoint: SignedCheckpoint): Promise<void>;
  /** The one that was put last. Errors: `data-loss` when it cannot be read as one. */
  latest(): Promise<SignedCheckpoint | undefined>;
  /** All that were put, by name. Errors: `data-loss`. */
  all(): AsyncIterable<SignedCheckpoint>;
}

const latestName = 'audit-checkpoint-latest';
const keptPrefix = 'audit-checkpoint-at-';

/** Checkpoints as documents of the artifact store, which all replicas share. */
export function documentSink(
  store: Pick<ArtifactStore, 'writeDocument' | 'readDocument' | 'listDocuments'>,
): CheckpointSink {
  return {
    async put(checkpoint) {
      const note = Buffer.from(formatNote(checkpoint), 'utf8');
      // The kept one first: what is latest is always among all.
      await store.writeDocument(keptName(checkpoint), note);
      await store.writeDocument(latestName, note);
    },
    latest: () => readNote(store, latestName),
    async *all() {
      for (const name of await store.listDocuments(keptPrefix)) {
        const checkpoint = await readNote(store, name);
        if (checkpoint) yield checkpoint;
      }
    },
  };
}

/** By size, so that they sort; by root, so that two histories of one size (after a restore) are both kept. */
function keptName({ treeSize, rootHash }: SignedCheckpoint): string {
  return `${keptPrefix}${String(treeSize).padStart(16, '0')}-${Buffer.from(rootHash).toString('hex').slice(0, 16)}`;
}

async function readNote(
  store: Pick<ArtifactStore, 'readDocument'>,
  name: string,
): Promise<SignedCheckpoint | undefined> {
  const bytes = await store.readDocument(name);
  if (!bytes) return undefined;
  const checkpoint = parseNote(Buffer.from(bytes).toString('utf8'));
  if (!checkpoint) throw new SluiceError('data-loss', `document ${name} of the artifact store is not a checkpoint`);
  return checkpoint;
}
