import { createHash, webcrypto } from 'node:crypto';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { versionDigest } from '@sluice/domain/version';
import type { LoadFile, LoadParameters } from './load-parameters.ts';
import { ownFile, readModelConfig } from './model-config.ts';
import type { ConfigOverride } from './model-config.ts';
import type { PushedFile, Repository, RepositoryCall, RepositoryVersion } from './repository.ts';
import { readYaml } from './read-yaml.ts';
import { manifestOf, writeManifest } from './version-manifest.ts';

/** What a version is to be made of. */
export interface MadeContent {
  readonly files: readonly PushedFile[];
  /** '' where there is only one graph. */
  readonly graphPath: string;
  readonly digest: string;
  readonly config: ConfigOverride;
}

export interface ContentSource {
  readonly model: string;
  readonly parameters: LoadParameters;
  /** Whose files are taken where none came; its `sluice.yaml` holds but for what the `config` says. */
  readonly base: RepositoryVersion | undefined;
}

const { subtle } = webcrypto;

/** Longest file of labels or `sluice.yaml` that is read, in bytes. */
const maxTextBytes = 1024 * 1024;

/**
 * The files of the version that a load with parameters is about.
 * @throws SluiceError invalid-argument naming the parameter or the field of `config`
 */
export async function contentOf(
  repository: Repository,
  { model, parameters, base }: ContentSource,
  call: RepositoryCall,
): Promise<MadeContent> {
  const config = readModelConfig(parameters.config ?? '{}', model);
  const given: readonly PushedFile[] = base ? base.files : await Promise.all(parameters.files.map(pushed));
  const read = async (path: string): Promise<string | undefined> => {
    const file = given.find((each) => each.path === path);
    if (!file) return undefined;
    if (file.size > maxTextBytes)
      throw invalidArgument(`${clip(path)} has ${file.size} bytes; at most ${maxTextBytes} are read`);
    return Buffer.from(file.bytes ?? (await repository.read(file, call))).toString('utf8');
  };
  const files = await withManifest({ given, read, config, base, parameters, signal: call.signal });
  const graphPath = config.graph ?? base?.graphPath ?? graphOf(files);
  const digest = versionDigest(files, (text) => createHash('sha256').update(text).digest('hex'));
  return { files, graphPath, digest, config };
}

/** Files may be large: their digests are made in another thread than that of inferences. */
async function pushed({ path, bytes }: LoadFile): Promise<PushedFile> {
  const digest = await subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>);
  return { path, sha256: Buffer.from(digest).toString('hex'), size: bytes.length, bytes };
}

interface Parts extends Pick<ContentSource, 'base' | 'parameters'> {
  readonly given: readonly PushedFile[];
  readonly read: (path: string) => Promise<string | undefined>;
  readonly config: ConfigOverride;
  readonly signal: AbortSignal;
}

/** The files with the `sluice.yaml` that the `config` makes of theirs. */
async function withManifest({ given, read, config, base, parameters, signal }: Parts): Promise<readonly PushedFile[]> {
  if (parameters.config === undefined) return given;
  if (!base && given.some(({ path }) => path === ownFile)) {
    throw invalidArgument(
      `parameters "config" and "file:${ownFile}" both say how to run the version; send one of them`,
    );
  }
  const labels = new Map<string, readonly string[]>();
  for (const { path, name, labelFile } of config.outputs) {
    if (labelFile === undefined || (base && labelFile === ownFile)) continue;
    const text = await read(labelFile);
    if (text === undefined) {
      throw invalidArgument(`${path}.label_filename: the version has no file "${clip(labelFile)}"`);
    }
    labels.set(name, linesOf(text));
  }
  const text = base && (await read(ownFile));
  const own = manifestOf(text ? await readYaml(text, signal) : {});
  const manifest = writeManifest(own, config, labels);
  // Nothing new was said: the version stays as it is, whatever its file looks like.
  if (base && manifest === writeManifest(own, unsaid, new Map())) return given;
  if (manifest === '{}') return given;
  const file = await pushed({ given: ownFile, path: ownFile, bytes: Buffer.from(manifest) });
  return [...given.filter(({ path }) => path !== ownFile), file];
}

const unsaid = readModelConfig('{}', '');

function linesOf(text: string): readonly string[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  while (lines.at(-1) === '') lines.pop();
  return lines;
}

/** As Triton: `model.onnx`, where nothing else is said. */
function graphOf(files: readonly PushedFile[]): string {
  return files.some(({ path }) => path === 'model.onnx') ? 'model.onnx' : '';
}
