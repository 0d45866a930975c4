import type { Clock } from '@sluice/domain/clock';
import { invalidArgument, SluiceError, unavailable } from '@sluice/domain/errors';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { checkSha256 } from '../artifacts/names.ts';
import type { ArtifactUse } from './create-version.ts';

const mostDigests = 1_000;

export interface ArtifactPorts {
  readonly artifacts: ArtifactStore;
  readonly use: ArtifactUse;
  /** Throws `unavailable` while uses cannot be noted: nobody is to send gigabytes for nothing. */
  readonly available: () => void;
  readonly clock: Clock;
}

/** An upload that sends nothing for this long is ended. */
export const uploadIdleMs = 60_000;

/** Those of the digests that the store has; they are spared from collection for the grace period. */
export async function statArtifacts(ports: ArtifactPorts, digests: readonly string[]): Promise<readonly string[]> {
  if (digests.length > mostDigests) {
    throw invalidArgument(`sha256: ${digests.length} given; expected at most ${mostDigests} in one call`);
  }
  for (const [index, sha256] of digests.entries()) checkSha256(sha256, `sha256[${index}]`);
  const present = [];
  for (const sha256 of new Set(digests)) {
    const stat = await ports.artifacts.stat(sha256);
    if (stat) present.push(stat);
  }
  if (present.length === 0) return [];
  await ports.use.noteUse(present);
  // From here on nothing collects them; what was collected before is gone, and is not to be counted on.
  const kept = [];
  for (const { sha256 } of present) if (await ports.artifacts.stat(sha256)) kept.push(sha256);
  return kept;
}

export interface UploadPart {
  readonly header?: { readonly sha256: string; readonly size: number } | undefined;
  readonly chunk?: Uint8Array | undefined;
}

/** Stores what a stream uploads: its first part is the header, all others are chunks. */
export async function uploadArtifact(
  ports: ArtifactPorts,
  parts: AsyncIterable<UploadPart>,
): Promise<{ readonly sha256: string; readonly size: number; readonly stored: boolean }> {
  const iterator = parts[Symbol.asyncIterator]();
  const next = (): Promise<IteratorResult<UploadPart>> => withinIdleTime(ports.clock, iterator.next());
  try {
    const first = await next();
    const header = first.done === true ? undefined : first.value.header;
    if (!header) throw invalidArgument('header: the first message of an upload must be the header');
    checkSha256(header.sha256, 'header.sha256');
    ports.available();
    const { stored } = await ports.artifacts.put(header, chunksOf(next));
    await ports.use.noteUse([header]);
    if (!(await ports.artifacts.stat(header.sha256))) {
      throw unavailable(`artifact ${header.sha256} was collected as unused while it was uploaded; upload it again`);
    }
    return { ...header, stored };
  } finally {
    // Not awaited: it waits for a message that may never come, and the end of the call ends it.
    iterator.return?.().catch(() => undefined);
  }
}

async function* chunksOf(next: () => Promise<IteratorResult<UploadPart>>): AsyncGenerator<Uint8Array, void, void> {
  for (let index = 1; ; index += 1) {
    const part = await next();
    if (part.done === true) return;
    if (part.value.chunk === undefined) throw invalidArgument(`chunk: message ${index} of the upload has no chunk`);
    yield part.value.chunk;
  }
}

async function withinIdleTime<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const idle = Promise.withResolvers<never>();
  const timer = clock.schedule(uploadIdleMs, () =>
    idle.reject(
      new SluiceError('deadline-exceeded', `the upload sent nothing for ${uploadIdleMs / 1000} s; upload it again`),
    ),
  );
  try {
    return await Promise.race([work, idle.promise]);
  } finally {
    timer.cancel();
  }
}

/** The bytes of an artifact from an offset on. */
export async function* downloadArtifact(
  ports: ArtifactPorts,
  request: { readonly sha256: string; readonly offset: number },
): AsyncGenerator<Uint8Array, void, void> {
  checkSha256(request.sha256);
  const stat = await ports.artifacts.stat(request.sha256);
  if (stat && request.offset > stat.size) {
    throw invalidArgument(`offset: ${request.offset} given; artifact ${request.sha256} has ${stat.size} bytes`);
  }
  yield* ports.artifacts.read(request.sha256, request.offset);
}
