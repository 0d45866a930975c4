import { invalidArgument, SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';

/** A parameter of a repository call; one of its fields is set. */
export interface RepositoryParameter {
  readonly boolParam?: boolean | undefined;
  readonly int64Param?: string | undefined;
  readonly stringParam?: string | undefined;
  readonly bytesParam?: Uint8Array | undefined;
  readonly parameterChoice?: string | undefined;
}

/** A file that came with a load. */
export interface LoadFile {
  /** As the parameter has it: `1/model.onnx`. */
  readonly given: string;
  /** In the version's folder: `model.onnx`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface LoadParameters {
  /** Triton's ModelConfig as JSON. */
  readonly config: string | undefined;
  readonly files: readonly LoadFile[];
}

/** Most files that may come with one load. */
const maxFiles = 1_000;
/** Longest `config`, in characters. */
const maxConfig = 1024 * 1024;
const filePrefix = 'file:';

/**
 * Reads the parameters of RepositoryModelLoad: `config`, and `file:<path>` with Triton's layout, where the version's
 * files are in a folder named by a number and what belongs to the whole model (labels) is beside it.
 *
 * @throws SluiceError invalid-argument naming the parameter; model-failed for a name that no file can have, since
 *   Triton answers INTERNAL there and its clients look for that
 */
export function readLoadParameters(parameters: Readonly<Record<string, RepositoryParameter>>): LoadParameters {
  let config: string | undefined;
  const files: LoadFile[] = [];
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'config') {
      config = configOf(value);
    } else if (name.startsWith(filePrefix)) {
      files.push(fileOf(name, value));
    } else {
      throw invalidArgument(`parameter "${clip(name)}" is not known; expected "config" and "file:<path>"`);
    }
  }
  checkFiles(files);
  return { config, files };
}

function configOf({ parameterChoice, stringParam }: RepositoryParameter): string {
  if (parameterChoice !== 'stringParam' || stringParam === undefined) {
    throw invalidArgument(`parameter "config": expected string_param, got ${choiceOf(parameterChoice)}`);
  }
  if (stringParam.length > maxConfig) {
    throw invalidArgument(`parameter "config": ${stringParam.length} characters given; expected at most ${maxConfig}`);
  }
  return stringParam;
}

function fileOf(name: string, { parameterChoice, bytesParam }: RepositoryParameter): LoadFile {
  const given = name.slice(filePrefix.length);
  const what = `parameter "${clip(name)}"`;
  const problem = pathProblem(given);
  if (problem) throw invalidArgument(`${what}: the path ${problem}; expected such as file:1/model.onnx`);
  if (given.split('/').some((part) => Buffer.byteLength(part) > 255)) {
    throw new SluiceError(
      'model-failed',
      `failed to poll from model repository: ${what}: a part of the path has more than 255 bytes`,
    );
  }
  if (parameterChoice !== 'bytesParam' || !bytesParam) {
    throw invalidArgument(`${what}: expected bytes_param, got ${choiceOf(parameterChoice)}`);
  }
  return { given, path: given.replace(/^[1-9]\d*\//, ''), bytes: bytesParam };
}

const choiceOf = (choice: string | undefined): string =>
  choice === undefined ? 'nothing' : choice.replace('Param', '_param');

/** What is wrong with a path that has to stay inside the model's folder. */
function pathProblem(path: string): string | undefined {
  if (path === '') return 'is empty';
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) return 'is absolute';
  if (path.includes('\\')) return 'has a backslash';
  if (/[\u0000-\u001f\u007f]/.test(path) || !path.isWellFormed()) return 'has characters that no file name may have';
  for (const part of path.split('/')) {
    if (part === '') return 'has an empty part';
    if (part === '.' || part === '..') return `has the part "${part}"`;
  }
  return undefined;
}

/** One load makes one version. */
function checkFiles(files: readonly LoadFile[]): void {
  if (files.length > maxFiles)
    throw invalidArgument(`${files.length} file parameters given; expected at most ${maxFiles}`);
  const folders = new Set(files.flatMap(({ given }) => /^([1-9]\d*)\//.exec(given)?.[1] ?? []));
  if (folders.size > 1) {
    throw invalidArgument(
      `file parameters are of versions ${[...folders].slice(0, 10).join(', ')}; one load makes one version, whose number Sluice gives`,
    );
  }
  const seen = new Map<string, string>();
  for (const { path, given } of files) {
    if (path === 'config.pbtxt') {
      throw invalidArgument(`parameter "file:${given}" is not read: send the configuration as JSON in "config"`);
    }
    const other = seen.get(path);
    if (other !== undefined)
      throw invalidArgument(`parameters "file:${other}" and "file:${given}" are one file, ${clip(path)}`);
    seen.set(path, given);
  }
}
