import type { CheckpointSink } from '../audit/checkpoint-sink.ts';
import { damagedDocument, latestName } from '../audit/checkpoint-sink.ts';
import type { SignedCheckpoint } from '../audit/checkpoint.ts';
import { isAuthentic, type HistoryPorts } from './lost-history.ts';

/** All that the artifact store has: any of them may prove more than the latest does. Errors: `data-loss`. */
export async function allKept(sink: CheckpointSink): Promise<readonly SignedCheckpoint[]> {
  const kept: SignedCheckpoint[] = [];
  for await (const checkpoint of sink.all()) kept.push(checkpoint);
  return kept;
}

/** The latest one of the artifact store. Errors: `data-loss` when it has not the signature of its key in `keys`. */
export async function latestKept(
  sink: CheckpointSink,
  keys: readonly HistoryPorts['key'][],
): Promise<SignedCheckpoint | undefined> {
  const latest = await sink.latest();
  if (!latest || isAuthentic(latest, keys)) return latest;
  const { treeSize, keyId } = latest;
  throw damagedDocument(latestName, `(of ${treeSize} entries) does not have the signature of its key ${keyId}`);
}
