import type { Clock } from '@sluice/domain/clock';
import type { VersionDirectory, VersionName } from '../ingest/known-versions.ts';
import { AskedCache } from './asked-cache.ts';
import type { Answer, RegistryModel, RegistrySource, RegistryVersion } from './registry-version.ts';
import { sameDigest } from './registry-version.ts';

const sizes = {
  /** Signatures with names of thousands of features are some hundred KiB each. */
  ...{ versions: 1_000, models: 1_000 },
  ...{ atOnce: 16, mostWaiting: 10_000 },
};
const times = {
  /** A version never changes; the index of its last change does. */
  versionMs: 60_000,
  /** How long a changed setting of a model may go unnoticed. */
  modelMs: 10_000,
  unknownMs: 30_000,
};

/**
 * What feedback knows of the registry: versions by number and models by name. All parts of a replica share one, and nobody asks the registry in
 * another way.
 */
export class RegistryFacts implements VersionDirectory {
  readonly #versions: AskedCache<RegistryVersion>;
  readonly #models: AskedCache<RegistryModel>;

  constructor(source: RegistrySource, clock: Clock) {
    const { atOnce, mostWaiting, versions, models } = sizes;
    const { unknownMs, versionMs, modelMs } = times;
    this.#versions = new AskedCache({
      ask: (key) => source.findVersion(key.slice(key.indexOf(' ') + 1), Number.parseInt(key, 10)),
      ...{ clock, capacity: versions, freshMs: versionMs, unknownMs, atOnce, mostWaiting },
    });
    this.#models = new AskedCache({
      ask: (key) => source.findModel(key),
      ...{ clock, capacity: models, freshMs: modelMs, unknownMs, atOnce, mostWaiting },
    });
  }

  /** The version that a record names; `unknown` too where the registry has another one of its number. Never rejects. */
  async version({ model, version, versionDigest }: VersionName): Promise<Answer<RegistryVersion>> {
    const answer = await this.#versions.get(`${version} ${model}`);
    if (answer.state !== 'known' || sameDigest(versionDigest, answer.value.digest)) return answer;
    return { state: 'unknown' };
  }

  /**
   * What is known of it without asking, however long ago that was: a version does not change, but for the index of its last change. Undefined where
   * somebody has to be asked.
   */
  peekVersion({ model, version, versionDigest }: VersionName): Answer<RegistryVersion> | undefined {
    const key = `${version} ${model}`;
    const kept = this.#versions.kept(key);
    if (kept !== undefined && sameDigest(versionDigest, kept.digest)) return { state: 'known', value: kept };
    const answer = this.#versions.peek(key);
    return answer?.state === 'known' ? { state: 'unknown' } : answer;
  }

  /** A model by its name. Never rejects. */
  model(name: string): Promise<Answer<RegistryModel>> {
    return this.#models.get(name);
  }

  /** Whether it has the version. Throws when it cannot be asked. */
  async has(name: VersionName): Promise<boolean> {
    const answer = await this.version(name);
    if (answer.state === 'away') throw answer.error;
    return answer.state === 'known';
  }
}
