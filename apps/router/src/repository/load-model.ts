import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import type { LoadParameters } from './load-parameters.ts';
import type { MadeContent } from './make-content.ts';
import { contentOf } from './make-content.ts';
import type { Repository, RepositoryCall, RepositoryVersion } from './repository.ts';
import { checkTensors } from './check-tensors.ts';

/** What a load needs beside the registry. */
export interface LoadPorts {
  readonly repository: Repository;
  /**
   * Resolves when a live runtime has the version ready and this router's routes are of that revision or a later one;
   * rejects when it is quarantined or taken away, and with the reasons when all live runtimes have failed to load it.
   */
  readonly whenReady: (model: string, version: number, revision: number, signal: AbortSignal) => Promise<void>;
}

/**
 * RepositoryModelLoad. Without parameters it is of the version that callers get who name none: the release's where there
 * is a champion or a release that a person made, which are placed already, else the highest that is ready, which is
 * pinned. With `config` or `file:` parameters it is of the version of that content, which is made when there is none, and
 * pinned. Pins of other versions stay.
 *
 * @throws SluiceError "failed to load 'MODEL', ..." with the kind and the reason
 */
export async function loadModel(
  ports: LoadPorts,
  model: string,
  parameters: LoadParameters,
  call: RepositoryCall,
): Promise<void> {
  const { repository } = ports;
  if (parameters.config === undefined && parameters.files.length === 0) {
    const answering = await answeringVersion(repository, model, call);
    if (answering) return ports.whenReady(model, answering.number, answering.revision, call.signal);
    const version = await latestVersion(repository, model, call);
    const revision = await repository.pin(model, version.number, call);
    return ports.whenReady(model, version.number, revision, call.signal);
  }
  const base = parameters.files.length === 0 ? await baseVersion(repository, model, call) : undefined;
  const content = await contentOf(repository, { model, parameters, base }, call);
  if (base) checkTensors(content.config, base);
  const version = await versionOf(repository, model, content, call);
  checkReady(model, version);
  checkTensors(content.config, version);
  const revision = await repository.pin(model, version.number, call);
  return ports.whenReady(model, version.number, revision, call.signal);
}

/** The version of the primary arm, where something other than a pin says that it answers, and as of which revision. */
async function answeringVersion(
  repository: Repository,
  name: string,
  call: RepositoryCall,
): Promise<RepositoryVersion | undefined> {
  const model = await repository.model(name, call);
  const champion = model.aliases.find(({ alias }) => alias === 'champion')?.version;
  const answering = model.release && !model.release.implicit ? model.release.versions[0] : champion;
  if (answering === undefined) return undefined;
  const version = await repository.version(name, answering, call);
  return { ...version, revision: Math.max(version.revision, model.revision) };
}

/** As Triton's default version policy: the one with the highest number. */
async function latestVersion(repository: Repository, model: string, call: RepositoryCall): Promise<RepositoryVersion> {
  const versions = await repository.versions(model, call);
  const latest = versions.findLast(({ state }) => state === 'ready');
  if (latest) return latest;
  const last = versions.at(-1);
  throw failedPrecondition(
    `no version of it is ready${last ? `: version ${last.number} is ${last.state}` : ''}; push one with \`sluice push ${model} FOLDER\``,
  );
}

/** Whose files a `config` without files is about: the version that a load without parameters is of. */
async function baseVersion(repository: Repository, model: string, call: RepositoryCall): Promise<RepositoryVersion> {
  return (await answeringVersion(repository, model, call)) ?? latestVersion(repository, model, call);
}

/** The version of that content: the last one that there is, or a new one. */
async function versionOf(
  repository: Repository,
  model: string,
  { digest, files, graphPath }: MadeContent,
  call: RepositoryCall,
): Promise<RepositoryVersion> {
  const versions = await existingVersions(repository, model, call);
  const same = versions.findLast(
    (version) =>
      version.digest === digest &&
      (graphPath === '' || version.graphPath === graphPath) &&
      (version.state === 'ready' || version.state === 'admitting'),
  );
  if (same?.state === 'ready') return same;
  // It was left by a caller whose deadline came first: its admission goes on, and is followed here.
  if (same) return repository.admitted(model, same.number, call);
  return repository.push(model, files, graphPath, call);
}

async function existingVersions(
  repository: Repository,
  model: string,
  call: RepositoryCall,
): Promise<readonly RepositoryVersion[]> {
  try {
    return await repository.versions(model, call);
  } catch (error) {
    // The first version of a model makes the model.
    if (error instanceof SluiceError && error.kind === 'not-found') return [];
    throw error;
  }
}

function checkReady(model: string, { number, state, rejection }: RepositoryVersion): void {
  if (state === 'ready') return;
  throw failedPrecondition(`admission rejected ${model} version ${number}: ${rejection}`);
}
