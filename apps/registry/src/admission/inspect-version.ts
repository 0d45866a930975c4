import { createHash } from 'node:crypto';
import { failedPrecondition, invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { type VersionFile, versionDigest } from '@sluice/domain/version';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import { checkVersionFiles } from '../artifacts/names.ts';
import { describeVersion } from '../manifest/describe-version.ts';
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
  const described = describeVersion(graphPath, graph, parsed);
  const digest = versionDigest(files, (text) => createHash('sha256').update(text).digest('hex'));
  return { files, graphPath, digest, graph, ...described };
}

async function checkStored(store: ArtifactStore, files: readonly VersionFile[]): Promise<void> {
  const missing: string[] = [];
  for (const [index, file] of files.entries()) {
    const found = await store.stat(file.sha256);
    if (!found) missing.push(clip(file.path));
    else if (found.size !== file.size) {
      throw invalidArgument(
        `files[${index}].size: ${file.size} given for "${clip(file.path)}", but artifact ${file.sha256} has ${found.size} bytes`,
      );
    }
  }
  if (missing.length === 0) return;
  const shown = missing.slice(0, 10).map((path) => `"${path}"`);
  if (missing.length > shown.length) shown.push(`${missing.length - shown.length} more`);
  throw failedPrecondition(
    `files: not uploaded yet: ${shown.join(', ')}; upload their artifacts first (push does that)`,
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
