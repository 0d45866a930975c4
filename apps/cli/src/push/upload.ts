import { fileChunks } from '@sluice/client/files';
import { RpcError } from '@sluice/rpc/status';
import { type CliContext, pause, progress } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import type { HashedFile } from './collect-files.ts';

/** An upload may take hours; a connection that died ends it sooner. */
const uploadMs = 24 * 3_600_000;
const attempts = 4;

/** The digests that the registry does not have, each once. */
export async function missingArtifacts(
  context: CliContext,
  files: readonly HashedFile[],
): Promise<readonly HashedFile[]> {
  const unique = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const { present } = await context.services.registry.statArtifacts(
    { sha256: unique.map((file) => file.sha256) },
    { signal: context.signal },
  );
  const stored = new Set(present);
  return unique.filter((file) => !stored.has(file.sha256));
}

/** Uploads one artifact; a broken connection is tried again from the start. */
export async function uploadFile(
  context: CliContext,
  file: HashedFile,
  onBytes: (bytes: number) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    let sent = 0;
    try {
      const onProgress = (done: number) => {
        onBytes(done - sent);
        sent = done;
      };
      const call = { signal: context.signal, timeoutMs: uploadMs };
      await context.services.upload(file, wholeFile(file), onProgress, call);
      return;
    } catch (error) {
      if (!isWorthRetrying(error) || attempt === attempts) throw error;
      onBytes(-sent);
      progress(context, `upload of ${file.path} broke off (${(error as RpcError).message}); trying again`);
      await pause(context, 500 * 2 ** attempt);
    }
  }
}

export const isWorthRetrying = (error: unknown): boolean => error instanceof RpcError && error.kind === 'unavailable';

async function* wholeFile(file: HashedFile): AsyncGenerator<Uint8Array> {
  let left = file.size;
  for await (const chunk of fileChunks(file.source)) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new CliError(exitCodes.failed, `${file.path} changed while it was pushed`, 'Push it again.');
}
