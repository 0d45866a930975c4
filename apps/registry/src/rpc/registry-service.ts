import type { RegistryServiceMethods } from '@sluice/contracts/services';
import type { CallContext, Handlers } from '@sluice/rpc/handlers';
import { watch } from '@sluice/rpc/handlers';
import { aliasHistory } from '../usecases/alias-history.ts';
import { approve } from '../usecases/approve.ts';
import type { ArtifactPorts } from '../usecases/artifacts.ts';
import { downloadArtifact, statArtifacts, uploadArtifact } from '../usecases/artifacts.ts';
import { cancelMove } from '../usecases/cancel-move.ts';
import { createModel } from '../usecases/create-model.ts';
import type { CreateVersionPorts } from '../usecases/create-version.ts';
import { createVersion } from '../usecases/create-version.ts';
import { deleteAlias } from '../usecases/delete-alias.ts';
import { deleteVersion } from '../usecases/delete-version.ts';
import { endRelease } from '../usecases/end-release.ts';
import { getModel } from '../usecases/get-model.ts';
import { getVersion } from '../usecases/get-version.ts';
import type { LeaseTable } from '../usecases/lease.ts';
import { liftQuarantine } from '../usecases/lift-quarantine.ts';
import { listModels } from '../usecases/list-models.ts';
import { listVersions } from '../usecases/list-versions.ts';
import { moveAlias } from '../usecases/move-alias.ts';
import { pinVersion, unpinVersion } from '../usecases/pin.ts';
import { putRelease } from '../usecases/put-release.ts';
import { rollback } from '../usecases/rollback.ts';
import { stateAsOf } from '../usecases/state-as-of.ts';
import type { RegistryState } from '../usecases/state.ts';
import { updateModel } from '../usecases/update-model.ts';
import type { WatchMovePorts } from '../usecases/watch-move.ts';
import { watchAliasMove } from '../usecases/watch-move.ts';
import { checkingTexts } from './check-texts.ts';
import { decodeCaptureChanges, decodeLabelChanges, decodePlan } from './decode-release.ts';
import { decodeFiles, decodeSettings } from './decode.ts';
import {
  encodeApproval,
  encodeHistory,
  encodeModel,
  encodeMove,
  encodeQuarantine,
  encodeRelease,
  encodeRouterLease,
  encodeRuntimeLease,
  encodeSettings,
  encodeVersion,
} from './encode.ts';
import { readInteger, readOptionalInteger, readTimestamp, readVersion } from './scalars.ts';

export interface RegistryServicePorts {
  readonly state: RegistryState;
  readonly leases: LeaseTable;
  readonly retainMs: number;
  readonly artifacts: ArtifactPorts;
  readonly createVersion: CreateVersionPorts;
  readonly watchMove: WatchMovePorts;
}

type Methods = Handlers<RegistryServiceMethods>;
type Part<Names extends keyof Methods> = Pick<Methods, Names>;

/** Handlers of RegistryService: decode, call the use case, encode. */
export function registryHandlers(ports: RegistryServicePorts): Methods {
  return checkingTexts({
    ...modelHandlers(ports),
    ...versionHandlers(ports),
    ...aliasHandlers(ports),
    ...releaseHandlers(ports),
    ...artifactHandlers(ports),
  });
}

function modelHandlers({
  state,
  leases,
}: RegistryServicePorts): Part<
  'createModel' | 'updateModel' | 'getModel' | 'listModels' | 'getStateAsOf' | 'listLeases'
> {
  return {
    createModel: async ({ name, settings, capture, labels }, { actor }) => {
      const policies = { capture: decodeCaptureChanges(capture), labels: decodeLabelChanges(labels) };
      const request = { name, settings: decodeSettings(settings), ...policies };
      return { model: encodeModel(await createModel(state, actor, request)) };
    },
    updateModel: async (request, { actor }) => {
      const capture = decodeCaptureChanges(request.capture);
      const labels = decodeLabelChanges(request.labels);
      const changes = { ...request, capture, labels, expectedRevision: expected(request.expectedRevision) };
      return { model: encodeModel(await updateModel(state, actor, changes)) };
    },
    getModel: async ({ name }) => {
      const { model, release } = await getModel(state, name);
      return { model: encodeModel(model), release: encodeRelease(release) };
    },
    listModels: async (request) => {
      const { models, nextPageToken } = await listModels(state, request);
      return { models: models.map(encodeModel), nextPageToken };
    },
    getStateAsOf: async (request) => {
      const time = readTimestamp(request.time, 'time');
      const { aliases, versions, release, settings, nextPageToken } = await stateAsOf(state, { ...request, time });
      return {
        aliases: aliases.map(encodeHistory),
        versions: versions.map(encodeVersion),
        release: encodeRelease(release),
        settings: settings ? encodeSettings(settings) : null,
        nextPageToken,
      };
    },
    listLeases: async () => {
      const { runtimes, routers } = await leases.read();
      const quarantined = await state.read((reads) => reads.quarantines());
      return {
        runtimes: runtimes.map(encodeRuntimeLease),
        routers: routers.map(encodeRouterLease),
        quarantined: quarantined.map(encodeQuarantine),
      };
    },
  };
}

function versionHandlers(
  ports: RegistryServicePorts,
): Part<
  | 'createVersion'
  | 'getVersion'
  | 'listVersions'
  | 'deleteVersion'
  | 'approve'
  | 'pinVersion'
  | 'unpinVersion'
  | 'liftQuarantine'
> {
  const { state } = ports;
  return {
    createVersion: async function* ({ model, files, graphPath, requestId }, { actor, signal }) {
      const request = { model, files: decodeFiles(files), graphPath, requestId };
      for await (const event of createVersion(ports.createVersion, actor, request, signal)) {
        yield event.version ? { version: encodeVersion(event.version) } : { progress: event.progress };
      }
    },
    getVersion: async (request) => ({ version: encodeVersion(await getVersion(state, request)) }),
    listVersions: async (request) => {
      const { versions, nextPageToken } = await listVersions(state, request);
      return { versions: versions.map(encodeVersion), nextPageToken };
    },
    deleteVersion: async (request, { actor }) => ({
      version: encodeVersion(await deleteVersion(state, actor, decodeTarget(request))),
    }),
    approve: async (request, { actor }) => ({
      approval: encodeApproval(await approve(state, actor, { ...decodeTarget(request), alias: request.alias })),
    }),
    pinVersion: async (request, { actor }) => ({ revision: await pinVersion(ports, actor, decodeTarget(request)) }),
    unpinVersion: async (request, { actor }) => ({ revision: await unpinVersion(state, actor, decodeTarget(request)) }),
    liftQuarantine: async (request, { actor }) => ({
      revision: await liftQuarantine(state, actor, { ...decodeTarget(request), pool: request.pool }),
    }),
  };
}

function aliasHandlers(
  ports: RegistryServicePorts,
): Part<'moveAlias' | 'cancelAliasMove' | 'watchAliasMove' | 'rollback' | 'deleteAlias' | 'getAliasHistory'> {
  const { state, retainMs } = ports;
  return {
    moveAlias: async (request, { actor }) => {
      const { model, alias, version, expectedRevision, timeoutMs } = request;
      const move = await moveAlias(ports, actor, {
        ...{ model, alias, version: readVersion(version), expectedRevision: expected(expectedRevision) },
        timeoutMs: readInteger(timeoutMs, 'timeout_ms'),
      });
      return { move: encodeMove(move) };
    },
    cancelAliasMove: async ({ model, alias, expectedRevision }, { actor }) => ({
      move: encodeMove(await cancelMove(state, actor, { model, alias, expectedRevision: expected(expectedRevision) })),
    }),
    watchAliasMove: watch(async function* ({ moveId }, ctx: CallContext) {
      for await (const { move, runtimes, routers, done } of watchAliasMove(ports.watchMove, moveId, ctx.signal)) {
        yield { move: encodeMove(move, runtimes), routers: routers.map((router) => ({ ...router })), done };
      }
    }),
    rollback: async ({ model, expectedRevision }, { actor }) => ({
      move: encodeMove(await rollback(ports, actor, { model, expectedRevision: expected(expectedRevision) })),
    }),
    deleteAlias: async ({ model, alias, expectedRevision }, { actor }) => ({
      revision: await deleteAlias(
        state,
        actor,
        { model, alias, expectedRevision: expected(expectedRevision) },
        retainMs,
      ),
    }),
    getAliasHistory: async (request) => {
      const { entries, moves, nextPageToken } = await aliasHistory(state, request);
      return { entries: entries.map(encodeHistory), moves: moves.map((move) => encodeMove(move)), nextPageToken };
    },
  };
}

function releaseHandlers(ports: RegistryServicePorts): Part<'putRelease' | 'endRelease'> {
  return {
    putRelease: async (request, { actor }) => {
      const { model, capture, expectedRevision } = request;
      const release = await putRelease(ports, actor, {
        ...{ model, plan: decodePlan(request), capture: decodeCaptureChanges(capture) },
        expectedRevision: expected(expectedRevision),
      });
      return { release: encodeRelease(release) };
    },
    endRelease: async ({ model, expectedRevision }, { actor }) => {
      const release = await endRelease(ports.state, actor, { model, expectedRevision: expected(expectedRevision) });
      return { release: encodeRelease(release) };
    },
  };
}

function artifactHandlers({
  artifacts,
}: RegistryServicePorts): Part<'statArtifacts' | 'uploadArtifact' | 'downloadArtifact'> {
  return {
    statArtifacts: async ({ sha256 }) => ({ present: [...(await statArtifacts(artifacts, sha256))] }),
    uploadArtifact: async (requests) => uploadArtifact(artifacts, parts(requests)),
    downloadArtifact: async function* ({ sha256, offset }) {
      const request = { sha256, offset: readInteger(offset, 'offset') };
      for await (const chunk of downloadArtifact(artifacts, request)) yield { chunk };
    },
  };
}

async function* parts(
  requests: AsyncIterable<{
    readonly header?: { readonly sha256: string; readonly size: string } | null;
    readonly chunk?: Uint8Array;
  }>,
) {
  for await (const { header, chunk } of requests) {
    yield header ? { header: { sha256: header.sha256, size: readInteger(header.size, 'header.size') } } : { chunk };
  }
}

const expected = (text: string | undefined): number | undefined => readOptionalInteger(text, 'expected_revision');

/** A version that a change is about. */
const decodeTarget = (request: {
  readonly model: string;
  readonly version: string;
  readonly expectedRevision?: string;
}) => ({
  model: request.model,
  version: readVersion(request.version),
  expectedRevision: expected(request.expectedRevision),
});
