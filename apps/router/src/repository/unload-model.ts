import { failedPrecondition } from '@sluice/domain/errors';
import type { Repository, RepositoryCall, RepositoryModel } from './repository.ts';

/** What an unload needs beside the registry. */
export interface UnloadPorts {
  readonly repository: Repository;
  /** Resolves when this router's routes are of that revision or a later one. */
  readonly whenApplied: (revision: number, signal: AbortSignal) => Promise<void>;
}

/**
 * RepositoryModelUnload: takes the pins of all versions of the model away. A model of which an alias, a requested move or
 * a release that a person made holds a version stays as it is. What is pinned by nobody is no failure.
 *
 * @throws SluiceError not-found for an unknown model; failed-precondition naming what holds which version, and the command
 */
export async function unloadModel(ports: UnloadPorts, name: string, call: RepositoryCall): Promise<void> {
  const { repository } = ports;
  const model = await repository.model(name, call);
  const held = holderOf(model);
  if (held !== undefined) throw failedPrecondition(held);
  const versions = await repository.versions(name, call);
  let revision = 0;
  // From the lowest: what answers meanwhile is what answered before, until the last pin goes.
  for (const { number, pinned } of versions) {
    if (pinned) revision = await repository.unpin(name, number, call);
  }
  await ports.whenApplied(revision, call.signal);
}

/** What keeps a version of the model loaded beside pins; undefined when nothing does. */
function holderOf({ name, aliases, moves, release }: RepositoryModel): string | undefined {
  const then = 'and unload again';
  for (const { alias, version } of aliases) {
    return `alias ${alias} holds version ${version}: take it away with \`sluice alias delete ${name} ${alias}\` ${then}`;
  }
  for (const { alias, version } of moves) {
    return `the requested move of alias ${alias} holds version ${version}: end it with \`sluice alias cancel ${name} ${alias}\` ${then}`;
  }
  if (!release || release.implicit) return undefined;
  return `release ${release.id} holds version ${release.versions.join(', ')}: end the release ${then}`;
}
