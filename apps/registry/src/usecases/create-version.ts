import type { Clock } from '@sluice/domain/clock';
import type { DataSetRef } from '@sluice/domain/data-set';
import { checkReferences, dataSetText } from '@sluice/domain/data-set';
import { failedPrecondition, SluiceError } from '@sluice/domain/errors';
import { checkActor, defaultModelSettings } from '@sluice/domain/model';
import { checkModelName, clip } from '@sluice/domain/names';
import type { VersionFile } from '@sluice/domain/version';
import type { Admission, InspectedVersion } from '../admission/admission.ts';
import { checkVersionFiles } from '../artifacts/names.ts';
import type { AdmissionJobs } from './admission-jobs.ts';
import { modelCreated } from './create-model.ts';
import { requireVersion } from './lookups.ts';
import { checkRequestId, requireDataSets, requireMaker } from './provenance-checks.ts';
import type { VersionRecord } from './records.ts';
import type { Changed, Entry, RegistryState, StateChange, StateReads } from './state.ts';

export interface CreateVersionRequest {
  readonly model: string;
  readonly files: readonly VersionFile[];
  /** '' when the caller names none. */
  readonly graphPath: string;
  /** '' for none. */
  readonly requestId: string;
  /** The run that makes it; '' for none. */
  readonly run: string;
  /** What it was trained on. */
  readonly dataSets: readonly DataSetRef[];
}

/** Which artifacts are in use, so that collection spares them. */
export interface ArtifactUse {
  /** Begins the grace period of these artifacts anew. */
  noteUse(files: readonly { readonly sha256: string; readonly size: number }[]): Promise<void>;
}

export interface CreateVersionPorts {
  readonly state: RegistryState;
  readonly admission: Admission;
  readonly jobs: AdmissionJobs;
  readonly artifacts: ArtifactUse;
  readonly clock: Clock;
  /** This replica. */
  readonly holder: string;
}

export type CreateVersionEvent =
  | { readonly progress: string; readonly version?: undefined }
  | { readonly progress?: undefined; readonly version: VersionRecord };

const pollMs = 250;

/**
 * Makes a version of uploaded files, and its model with it when this is the first. Yields lines of progress and at
 * last the version, ready or rejected. The admission goes on when the caller leaves; the same `requestId` then follows
 * it, or answers with what it made. Files that cannot be read as a model make no version: `invalid-argument`.
 */
export async function* createVersion(
  ports: CreateVersionPorts,
  actor: string,
  request: CreateVersionRequest,
  signal: AbortSignal,
): AsyncGenerator<CreateVersionEvent, void, void> {
  checkActor(actor);
  checkModelName(request.model);
  checkVersionFiles(request.files);
  checkRequestId(request.requestId);
  checkReferences(request.dataSets, 'data_sets', dataSetText);
  const earlier = await madeBefore(ports, actor, request);
  if (earlier) return yield* followAdmission(ports, earlier, signal);
  // Before the work, and again when it is made.
  await ports.state.read((reads) => checkOrigin(reads, request));
  await ports.artifacts.noteUse(request.files);
  const { files, graphPath } = request;
  const inspected = await ports.admission.inspect({ files, graphPath });
  const { version, fresh } = await ports.state.change(actor, (change) =>
    makeVersion(change, ports.holder, request, inspected),
  );
  if (!fresh) return yield* followAdmission(ports, version, signal);
  yield { progress: `${version.model} version ${version.number} (${version.digest.slice(0, 12)}): admission begins` };
  yield* relay(ports.jobs.start(version, inspected).follow(signal));
}

async function madeBefore(
  ports: CreateVersionPorts,
  actor: string,
  request: CreateVersionRequest,
): Promise<VersionRecord | undefined> {
  if (request.requestId === '') return undefined;
  const made = await ports.state.read((reads) => reads.versionByRequest(request.requestId));
  if (made) checkSameRequest(made, actor, request);
  return made?.version;
}

function checkSameRequest(
  made: { readonly version: VersionRecord; readonly actor: string },
  actor: string,
  request: CreateVersionRequest,
): void {
  const text = (files: readonly VersionFile[]): string =>
    JSON.stringify(files.map((file) => [file.path, file.sha256, file.size]).sort());
  const { version } = made;
  const sameOrigin =
    version.run === request.run &&
    JSON.stringify(version.dataSets.map(dataSetText).sort()) ===
      JSON.stringify(request.dataSets.map(dataSetText).sort());
  const sameFiles = version.model === request.model && text(version.files) === text(request.files);
  if (sameFiles && sameOrigin && made.actor === actor) return;
  throw new SluiceError(
    'already-exists',
    `request_id: "${clip(request.requestId)}" already made ${version.model} version ${version.number} of other files, from other data sets or another run, or for another actor; use a new one`,
  );
}

async function checkOrigin(
  { provenance }: StateReads,
  { run, dataSets }: Pick<CreateVersionRequest, 'run' | 'dataSets'>,
): Promise<void> {
  await requireDataSets(provenance, dataSets, 'data_sets');
  await requireMaker(provenance, run, 'versions');
}

async function makeVersion(
  change: StateChange,
  holder: string,
  request: CreateVersionRequest,
  inspected: InspectedVersion,
): Promise<Changed<{ readonly version: VersionRecord; readonly fresh: boolean }>> {
  if (request.requestId !== '') {
    const made = await change.versionByRequest(request.requestId);
    if (made) {
      checkSameRequest(made, change.actor, request);
      return { entries: [], result: { version: made.version, fresh: false } };
    }
  }
  await checkOrigin(change, request);
  const entries: Entry[] = [];
  if (!(await change.model(request.model))) {
    await change.insertModel(request.model, defaultModelSettings);
    // Routers must know the model; a version that is still in admission is no business of theirs.
    await change.settle(request.model);
    entries.push(modelCreated(request.model, defaultModelSettings));
  }
  const { files, graphPath, digest, signature, serving, manifestJson } = inspected;
  const { model, requestId, run, dataSets } = request;
  const content = { files, graphPath, digest, signature, serving, manifestJson, run, dataSets };
  const version = await change.insertVersion({ model, requestId, holder, ...content });
  entries.push({
    action: 'version.created',
    object: `model/${model}/version/${version.number}`,
    body: {
      model,
      version: version.number,
      digest,
      graph_path: graphPath,
      files: files.map((file) => ({ path: file.path, sha256: file.sha256, size: file.size })),
      ...(run === '' ? {} : { run }),
      ...(dataSets.length === 0 ? {} : { data_sets: dataSets.map(dataSetText) }),
    },
  });
  return { entries, result: { version, fresh: true } };
}

/** Follows an admission that runs already, here or in another replica, until it has ended. */
async function* followAdmission(
  ports: CreateVersionPorts,
  version: VersionRecord,
  signal: AbortSignal,
): AsyncGenerator<CreateVersionEvent, void, void> {
  const { model, number } = version;
  yield { progress: `${model} version ${number} was made by this request before` };
  const here = ports.jobs.find(model, number);
  if (here) return yield* relay(here.follow(signal));
  for (;;) {
    const current = await ports.state.read((reads) => requireVersion(reads, model, number));
    if (current.state !== 'admitting') {
      yield { version: current };
      return;
    }
    if (signal.aborted) throw failedPrecondition('the caller left');
    await new Promise<void>((resolve) => ports.clock.schedule(pollMs, resolve));
  }
}

async function* relay(
  lines: AsyncGenerator<string, VersionRecord, void>,
): AsyncGenerator<CreateVersionEvent, void, void> {
  for (;;) {
    const step = await lines.next();
    if (step.done) {
      yield { version: step.value };
      return;
    }
    yield { progress: step.value };
  }
}
