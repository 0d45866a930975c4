import { createHash } from 'node:crypto';
import { failedPrecondition, notFound } from '@sluice/domain/errors';
import { versionDigest } from '@sluice/domain/version';
import type {
  PushedFile,
  Repository,
  RepositoryCall,
  RepositoryModel,
  RepositoryVersion,
} from '../src/repository/repository.ts';

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');

/** What is known of a version that is not said. */
const plain = {
  state: 'ready',
  graphPath: 'model.onnx',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 4] }],
  outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 3] }],
  batched: true,
  pinned: false,
  rejection: '',
  revision: 0,
} as const;

/** A registry of one model, in memory: what was asked of it stands in `log`. */
export class MemoryRepository implements Repository {
  readonly log: string[] = [];
  readonly versionList: RepositoryVersion[] = [];
  model_: Omit<RepositoryModel, 'name' | 'revision'> | undefined;
  /** As of which the model's aliases are what they are. */
  modelRevision = 0;
  revision = 10;
  /** How the next admission ends. */
  admission: Pick<RepositoryVersion, 'state' | 'rejection'> = { state: 'ready', rejection: '' };
  readonly #stored = new Map<string, Uint8Array>();

  /** A version of these files. */
  add(number: number, files: Readonly<Record<string, string>>, more: Partial<RepositoryVersion> = {}): void {
    const pushed = Object.entries(files).map(([path, text]) => this.store(path, Buffer.from(text)));
    this.versionList.push({ ...plain, number, files: pushed, digest: versionDigest(pushed, sha256), ...more });
    this.model_ ??= { aliases: [], moves: [], release: undefined };
  }

  store(path: string, bytes: Uint8Array): PushedFile {
    this.#stored.set(sha256(bytes), bytes);
    return { path, sha256: sha256(bytes), size: bytes.length };
  }

  /** A file of a version, as text. */
  text(number: number, path: string): string | undefined {
    const file = this.versionList
      .find((version) => version.number === number)
      ?.files.find((each) => each.path === path);
    return file && Buffer.from(this.#stored.get(file.sha256)!).toString();
  }

  async model(name: string): Promise<RepositoryModel> {
    if (!this.model_) throw notFound(`model: there is no model "${name}"`);
    return { name, revision: this.modelRevision, ...this.model_ };
  }

  async versions(name: string): Promise<readonly RepositoryVersion[]> {
    await this.model(name);
    return [...this.versionList];
  }

  async version(_model: string, number: number): Promise<RepositoryVersion> {
    return this.versionList.find((version) => version.number === number)!;
  }

  async admitted(model: string, number: number): Promise<RepositoryVersion> {
    this.log.push(`follow ${number}`);
    const index = this.versionList.findIndex((version) => version.number === number);
    this.versionList[index] = { ...this.versionList[index]!, ...this.admission };
    return this.version(model, number);
  }

  async pin(_model: string, version: number, { actor }: RepositoryCall): Promise<number> {
    this.log.push(`pin ${version} by ${actor}`);
    return ++this.revision;
  }

  async unpin(_model: string, version: number): Promise<number> {
    this.log.push(`unpin ${version}`);
    return ++this.revision;
  }

  async read({ sha256: digest }: { readonly sha256: string }): Promise<Buffer> {
    return Buffer.from(this.#stored.get(digest)!);
  }

  async push(_model: string, files: readonly PushedFile[], graphPath: string): Promise<RepositoryVersion> {
    for (const { path, bytes } of files) if (bytes) this.store(path, bytes);
    if (!files.some(({ path }) => path.endsWith('.onnx'))) throw failedPrecondition('files: no graph');
    const number = (this.versionList.at(-1)?.number ?? 0) + 1;
    this.log.push(`push ${files.map(({ path }) => path).join('+')}`);
    const list = files.map(({ path, sha256: digest, size }) => ({ path, sha256: digest, size }));
    const made = { ...plain, number, files: list, digest: versionDigest(list, sha256), ...this.admission };
    this.versionList.push({ ...made, graphPath: graphPath || 'model.onnx' });
    this.model_ ??= { aliases: [], moves: [], release: undefined };
    return this.versionList.at(-1)!;
  }
}

/** As a caller without a name that waits for ever. */
export const anyCall = (): RepositoryCall => ({
  actor: 'repository-control',
  deadlineMs: undefined,
  signal: new AbortController().signal,
});
