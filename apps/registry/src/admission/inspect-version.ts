import { createHash } from 'node:crypto';
import { failedPrecondition, invalidArgument, SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { type VersionFile, versionDigest } from '@sluice/domain/version';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { checkVersionFiles } from '../artifacts/names.ts';
import { type DataFiles, maxInitialBytes } from '../manifest/check-sequences.ts';
import { describeVersion } from '../manifest/describe-version.ts';
import type { Manifest } from '../manifest/manifest.ts';
import { emptyManifest, maxManifestBytes, type ParsedManifest, parseManifest } from '../manifest/parse-manifest.ts';
import { checkExternalData } from '../onnx/external-data.ts';
import { scanGraph } from '../onnx/scan-graph.ts';
import type { Candidate, InspectedVersion } from './admission.ts';

/** Where a folder says what its graph cannot. */
export const manifestPath = 'sluice.yaml';

/** Reads and checks a candidate without running anything of it; see `Admission.inspect`. */
export async function inspectVersion(store: ArtifactStore, candidate: Candidate): Promise<InspectedVersion> {
  const { files } = candidate;
  checkVersionFiles(files);
  await checkStored(store, files);
  const parsed = await readManifest(store, files);
  const graphPath = chooseGraph(files, candidate.graphPath, parsed.manifest.graph);
  const graph = await scanStored(
    store,
    files.find((file) => file.path === graphPath)!,
  );
  checkExternalData(graph.externalData, graphPath, files);
  const described = describeVersion(graphPath, graph, parsed, await dataFilesOf(store, files, parsed.manifest));
  const digest = versionDigest(files, (text) => createHash('sha256').update(text).digest('hex'));
  return { files, graphPath, digest, graph, ...described };
}

/** Everything is there and is what its digest says: a disk may have lost what was stored right. */
async function checkStored(store: ArtifactStore, files: readonly VersionFile[]): Promise<void> {
  const missing: string[] = [];
  for (const [index, file] of files.entries()) {
    const found = await store.stat(file.sha256);
    if (!found) missing.push(clip(file.path));
    else if (found.size !== file.size) {
      await checkDigest(store, file);
      throw invalidArgument(
        `files[${index}].size: ${file.size} given for "${clip(file.path)}", but artifact ${file.sha256} has ${found.size} bytes`,
      );
    }
  }
  if (missing.length > 0) throw notUploaded(missing);
  for (const file of new Map(files.map((one) => [one.sha256, one])).values()) await checkDigest(store, file);
}

function notUploaded(missing: readonly string[]): Error {
  const shown = missing.slice(0, 10).map((path) => `"${path}"`);
  if (missing.length > shown.length) shown.push(`${missing.length - shown.length} more`);
  return failedPrecondition(
    `files: not uploaded yet: ${shown.join(', ')}; upload their artifacts first (push does that)`,
  );
}

/** Reads an artifact as a whole; one that is damaged is set aside, so that the next push uploads it again. */
async function checkDigest(store: ArtifactStore, { path, sha256 }: VersionFile): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of store.read(sha256)) hash.update(chunk);
  const got = hash.digest('hex');
  if (got === sha256) return;
  await store.setAside(sha256);
  throw new SluiceError(
    'data-loss',
    `files: the stored bytes of "${clip(path)}" are damaged: artifact ${sha256} has the digest ${got}; ` +
      'it was set aside, push again to upload it anew',
  );
}

async function readManifest(store: ArtifactStore, files: readonly VersionFile[]): Promise<ParsedManifest> {
  const file = files.find(({ path }) => path === manifestPath);
  if (!file) {
    const near = files.find(({ path }) => /^sluice\.ya?ml$/i.test(path));
    if (near) throw invalidArgument(`files: "${near.path}" is not read; name it ${manifestPath}`);
    return emptyManifest();
  }
  const source = await store.open(file.sha256);
  try {
    return parseManifest(await source.read(0, maxManifestBytes + 1));
  } finally {
    await source.close();
  }
}

/** The files that `sluice.yaml` names as data, as far as they are there. */
async function dataFilesOf(
  store: ArtifactStore,
  files: readonly VersionFile[],
  { sequences }: Manifest,
): Promise<DataFiles> {
  const named = new Set(sequences?.states.flatMap(({ dataFile }) => dataFile ?? []));
  const found = new Map<string, { size: number; bytes: Uint8Array | undefined }>();
  for (const { path, sha256, size } of files) {
    if (!named.has(path)) continue;
    found.set(path, { size, bytes: size <= maxInitialBytes ? await readStored(store, sha256, size) : undefined });
  }
  return found;
}

async function readStored(store: ArtifactStore, sha256: string, size: number): Promise<Uint8Array> {
  const source = await store.open(sha256);
  try {
    return await source.read(0, size);
  } finally {
    await source.close();
  }
}

/** The graph that the caller named, or `sluice.yaml` names, or the only one that there is. */
function chooseGraph(files: readonly VersionFile[], asked: string, declared: string | undefined): string {
  const named = asked || declared;
  const field = asked ? 'graph_path' : `${manifestPath}: graph`;
  if (named !== undefined) {
    if (files.some(({ path }) => path === named)) return named;
    throw invalidArgument(`${field}: "${clip(named)}" is not among the files`);
  }
  const graphs = files.filter(({ path }) => path.toLowerCase().endsWith('.onnx'));
  if (graphs.length === 1) return graphs[0]!.path;
  if (graphs.length === 0) throw invalidArgument('files: no *.onnx file; push the folder that holds the graph');
  const names = graphs.slice(0, 10).map(({ path }) => `"${clip(path)}"`);
  throw invalidArgument(`graph_path: ${graphs.length} *.onnx files (${names.join(', ')}); say which one is the graph`);
}

async function scanStored(store: ArtifactStore, file: VersionFile) {
  const source = await store.open(file.sha256);
  try {
    return await scanGraph(source);
  } finally {
    await source.close();
  }
}
