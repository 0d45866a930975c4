import { clip } from '@sluice/domain/names';
import type { ServingConfig, Signature, TensorSpec } from '@sluice/domain/signature';
import type { GraphInfo } from '../onnx/graph-info.ts';
import { checkSignatureBytes, featureNamesIn, signatureOf } from '../onnx/graph-signature.ts';
import { checkGolden, showShape, unknownTensor } from './check-golden.ts';
import { type DataFiles, describeSequences, servedSignature } from './check-sequences.ts';
import { addClassNames } from './class-names.ts';
import { checkTask, columnsOf } from './check-task.ts';
import { describeServing } from './describe-serving.ts';
import { manifestJson } from './manifest-json.ts';
import type { Manifest, ManifestTensor } from './manifest.ts';
import type { ParsedManifest } from './parse-manifest.ts';
import type { ManifestProblems } from './problems.ts';
import { maxFeatureName } from './schema.ts';

/** What graph and `sluice.yaml` say together. */
export interface VersionDescription {
  readonly signature: Signature;
  readonly serving: ServingConfig;
  readonly manifest: Manifest;
  /** Everything else that `sluice.yaml` said, as canonical JSON (RFC 8785). */
  readonly manifestJson: string;
  /** What nobody wrote down, a line each. */
  readonly derived: readonly string[];
}

/**
 * Joins graph and manifest. Throws `invalid-argument` when the graph cannot be served, or with all that `sluice.yaml`
 * says and the graph contradicts, each with its line.
 * @param dataFiles those that `sluice.yaml` names as data
 */
export function describeVersion(
  graphPath: string,
  graph: GraphInfo,
  parsed: ParsedManifest,
  dataFiles: DataFiles = new Map(),
): VersionDescription {
  const { manifest, problems } = parsed;
  const inGraph = signatureOf(graph);
  const sequences = describeSequences(manifest, inGraph, dataFiles, problems);
  const declared = servedSignature(inGraph, sequences, manifest);
  const derived = [graphLine(graphPath, graph)];
  const described = addFeatures(declared, graph, manifest, problems, derived);
  const signature = addClassNames(described, manifest, problems);
  const task = checkTask(manifest.task, signature, problems, derived);
  const running = describeServing(manifest, { signature, inGraph }, problems, derived);
  const serving = sequences ? { ...running, sequenceBatching: sequences } : running;
  checkGolden(manifest.golden, signature, problems);
  problems.throwIfAny();
  checkSignatureBytes(signature);
  const whole = { ...manifest, task };
  return { signature, serving, manifest: whole, manifestJson: manifestJson(whole), derived };
}

function graphLine(path: string, graph: GraphInfo): string {
  const opsets = graph.opsets.map(({ domain, version }) => `${domain || 'ai.onnx'} ${version}`).join(', ');
  const producer = [graph.producerName, graph.producerVersion].filter(Boolean).join(' ');
  return `graph ${clip(path)}: ONNX IR ${graph.irVersion}, operators of ${clip(opsets, 200)}${producer && `, made by ${clip(producer)}`}`;
}

function addFeatures(
  declared: Signature,
  graph: GraphInfo,
  manifest: Manifest,
  problems: ManifestProblems,
  derived: string[],
): Signature {
  for (const kind of ['inputs', 'outputs'] as const) {
    const seen = new Set<string>();
    for (const [index, tensor] of manifest[kind].entries()) {
      const path = ['signature', kind, index];
      if (seen.has(tensor.name)) problems.add([...path, 'name'], `"${clip(tensor.name)}" is given twice`);
      seen.add(tensor.name);
      const spec = declared[kind].find((candidate) => candidate.name === tensor.name);
      if (spec) checkFeatures(tensor, spec, declared.batched, path, problems);
      else problems.add([...path, 'name'], () => unknownTensor(kind, tensor.name, declared[kind]));
    }
  }
  const join = (kind: 'inputs' | 'outputs') =>
    declared[kind].map((spec) => {
      const said = manifest[kind].find((tensor) => tensor.name === spec.name);
      const features = (said?.features ?? []).map(({ name, min, max, nullable }) => ({
        name,
        nullable,
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
      }));
      return {
        ...spec,
        features,
        ...(said?.range ? { min: said.range[0], max: said.range[1] } : {}),
        ...(said?.nullable ? { nullable: true } : {}),
        ...(said?.format ? { format: said.format } : {}),
      };
    });
  const outputs = join('outputs');
  const inputs = withMetadataNames(join('inputs'), declared.batched, graph, manifest, derived);
  for (const [what, specs] of [['input', inputs] as const, ['output', outputs] as const]) {
    for (const spec of specs) derived.push(`${what} ${clip(spec.name)}: ${spec.datatype} ${showShape(spec)}`);
  }
  return { inputs, outputs, batched: declared.batched };
}

function checkFeatures(
  tensor: ManifestTensor,
  spec: TensorSpec,
  batched: boolean,
  path: readonly PropertyKey[],
  problems: ManifestProblems,
): void {
  const isOrdered = !['BYTES', 'BOOL'].includes(spec.datatype);
  if (!isOrdered && tensor.range) problems.add([...path, 'range'], `${spec.datatype} has no range`);
  if (tensor.features.length === 0) return;
  const columns = columnsOf(spec, batched);
  if (columns === undefined) {
    problems.add([...path, 'features'], `expected none, since the last dimension of ${showShape(spec)} is dynamic`);
  } else if (columns !== tensor.features.length) {
    problems.add(
      [...path, 'features'],
      `expected ${columns}, since the shape is ${showShape(spec)}, got ${tensor.features.length}`,
    );
  }
  const seen = new Set<string>();
  for (const [index, feature] of tensor.features.entries()) {
    if (seen.has(feature.name)) problems.add([...path, 'features', index], `"${clip(feature.name)}" is given twice`);
    seen.add(feature.name);
    if (!isOrdered && !tensor.range && (feature.min !== undefined || feature.max !== undefined)) {
      problems.add([...path, 'features', index], `${spec.datatype} has no range`);
    }
  }
}

/** Takes names from the graph's metadata for its only input, where `sluice.yaml` gives none. */
function withMetadataNames(
  inputs: TensorSpec[],
  batched: boolean,
  graph: GraphInfo,
  manifest: Manifest,
  derived: string[],
): TensorSpec[] {
  const names = featureNamesIn(graph.metadata);
  const [only, ...others] = inputs;
  if (!names || !only || others.length > 0 || only.features.length > 0) return inputs;
  const columns = columnsOf(only, batched);
  if (columns !== names.length || new Set(names).size < names.length) {
    derived.push(
      `metadata feature_names not used: ${names.length} names for ${columns ?? 'an unknown number of'} columns`,
    );
    return inputs;
  }
  if (names.some((name) => name.length > maxFeatureName)) {
    derived.push(`metadata feature_names not used: one has more than ${maxFeatureName} characters`);
    return inputs;
  }
  const said = manifest.inputs.find((tensor) => tensor.name === only.name);
  const range = said?.range ? { min: said.range[0], max: said.range[1] } : {};
  derived.push(`features of ${clip(only.name)}: ${names.length} names from the graph's metadata`);
  return [{ ...only, features: names.map((name) => ({ name, nullable: said?.nullable ?? false, ...range })) }];
}
