import { randomUUID } from 'node:crypto';
import type { RegistryClient } from '@sluice/client/registry-client';
import type { Version__Output } from '@sluice/contracts/gen/sluice/registry/v1/Version';
import type { TensorSpec__Output } from '@sluice/contracts/gen/sluice/registry/v1/TensorSpec';
import type { Model__Output } from '@sluice/contracts/gen/sluice/registry/v1/Model';
import type { Release__Output } from '@sluice/contracts/gen/sluice/registry/v1/Release';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { VersionState } from '@sluice/domain/version';
import type {
  PushedFile,
  Repository,
  RepositoryCall,
  RepositoryModel,
  RepositoryTensor,
  RepositoryVersion,
} from '../repository/repository.ts';
import { pause } from '../watch/pause.ts';
import { whole } from '../watch/decode-routes.ts';

/** How often a version is looked at whose admission somebody else follows, in milliseconds. */
const admissionPollMs = 250;

/** The registry over gRPC, as loads and unloads need it. */
export function registryRepository(client: RegistryClient, clock: Clock): Repository {
  const { registry } = client;
  const versionOf = async (model: string, number: number, call: RepositoryCall): Promise<RepositoryVersion> => {
    const { version } = await registry.getVersion({ model, version: String(number) }, call);
    return decodeVersion(version!);
  };
  return {
    async model(name, call) {
      const { model, release } = await registry.getModel({ name }, call);
      return decodeModel(model!, release);
    },
    async versions(model, call) {
      const all: RepositoryVersion[] = [];
      let pageToken = '';
      do {
        const page = await registry.listVersions({ model, pageSize: 1_000, pageToken }, call);
        all.push(...page.versions.map(decodeVersion));
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      return all;
    },
    version: versionOf,
    async admitted(model, number, call) {
      for (;;) {
        const version = await versionOf(model, number, call);
        if (version.state !== 'admitting') return version;
        await pause(clock, admissionPollMs, call.signal);
        call.signal.throwIfAborted();
      }
    },
    pin: async (model, version, call) => revisionOf(await registry.pinVersion({ model, version }, call)),
    unpin: async (model, version, call) => revisionOf(await registry.unpinVersion({ model, version }, call)),
    async read({ sha256 }, call) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of client.download(sha256, call)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    async push(model, files, graphPath, call) {
      await upload(client, files, call);
      const list = files.map(({ path, sha256, size }) => ({ path, sha256, size }));
      const request = { model, files: list, graphPath, requestId: randomUUID() };
      for await (const { version } of registry.createVersion(request, call)) if (version) return decodeVersion(version);
      throw new SluiceError('unavailable', 'the registry ended an admission without a version; try again');
    },
  };
}

/** Uploads the bytes that the registry does not have. */
async function upload(client: RegistryClient, files: readonly PushedFile[], call: RepositoryCall): Promise<void> {
  const unique = new Map(files.flatMap((file) => (file.bytes ? [[file.sha256, file] as const] : [])));
  if (unique.size === 0) return;
  const { present } = await client.registry.statArtifacts({ sha256: [...unique.keys()] }, call);
  for (const sha256 of present) unique.delete(sha256);
  for (const { sha256, size, bytes } of unique.values()) {
    await client.upload({ sha256, size }, once(bytes!), undefined, call);
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

const revisionOf = ({ revision }: { readonly revision: string }): number => whole(revision, 'revision');

/** A state that this router does not know is none that may be served. */
const states: Readonly<Partial<Record<Version__Output['state'], VersionState>>> = {
  VERSION_STATE_ADMITTING: 'admitting',
  VERSION_STATE_READY: 'ready',
  VERSION_STATE_REJECTED: 'rejected',
};

function decodeVersion(wire: Version__Output): RepositoryVersion {
  return {
    number: whole(wire.number, 'version'),
    state: states[wire.state] ?? 'deleted',
    digest: wire.digest,
    files: wire.files.map(({ path, sha256, size }) => ({ path, sha256, size: whole(size, `size of ${path}`) })),
    graphPath: wire.graphPath,
    inputs: (wire.signature?.inputs ?? []).map(decodeTensor),
    outputs: (wire.signature?.outputs ?? []).map(decodeTensor),
    batched: wire.signature?.batched ?? false,
    pinned: wire.pinned,
    rejection: wire.rejection,
    revision: whole(wire.revision, 'revision of a version'),
  };
}

const decodeTensor = ({ name, datatype, shape }: TensorSpec__Output): RepositoryTensor => ({
  name,
  datatype,
  shape: shape.map(Number),
});

function decodeModel({ name, aliases }: Model__Output, release: Release__Output | null): RepositoryModel {
  const arms = release?.arms ?? [];
  const primary = arms.find(({ role }) => role === 'ARM_ROLE_PRIMARY') ?? arms[0];
  const inOrder = primary ? [primary, ...arms.filter((arm) => arm !== primary)] : [];
  const changes = [...aliases, ...(release ? [release] : [])];
  return {
    name,
    revision: Math.max(0, ...changes.map(({ revision }) => whole(revision, `revision of ${name}`))),
    aliases: aliases.flatMap(({ alias, version }) =>
      version === '0' ? [] : { alias, version: whole(version, `alias ${alias}`) },
    ),
    moves: aliases.flatMap(({ alias, pending }) =>
      pending ? { alias, version: whole(pending.toVersion, `move of ${alias}`) } : [],
    ),
    release: release
      ? {
          id: release.id,
          implicit: release.implicit,
          versions: inOrder.map((arm) => whole(arm.version, `arm ${arm.name}`)),
        }
      : undefined,
  };
}
