import { registryService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { createRpcClient } from '@sluice/rpc/client';
import type { VersionDirectory, VersionName } from '../ingest/known-versions.ts';

export interface RegistryDirectoryOptions {
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly tls: Parameters<typeof createRpcClient>[2]['tls'];
  /** Of one question, in milliseconds. */
  readonly timeoutMs: number;
}

/** Kinds with which a registry says that there is no such version; with any other one it says that it cannot tell. */
const unknown: ReadonlySet<string> = new Set(['not-found', 'invalid-argument']);
const digest = /^[0-9a-f]{64}$/;

/** The registry's versions, asked one by one. */
export class RegistryDirectory implements VersionDirectory {
  readonly #client: ReturnType<typeof clientOf>;
  readonly #timeoutMs: number;

  constructor(options: RegistryDirectoryOptions) {
    this.#client = clientOf(options);
    this.#timeoutMs = options.timeoutMs;
  }

  /** Deleted and rejected versions are known too. One with another digest is another version, of a registry that was put back. */
  async has({ model, version, versionDigest }: VersionName): Promise<boolean> {
    const request = { model, version: String(version) };
    try {
      const answer = await this.#client.getVersion(request, { timeoutMs: this.#timeoutMs });
      const found = answer.version?.digest ?? '';
      return !digest.test(versionDigest) || !digest.test(found) || found === versionDigest;
    } catch (error) {
      if (unknown.has(SluiceError.from(error).kind)) return false;
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }
}

const clientOf = ({ addresses, clock, tls }: RegistryDirectoryOptions) =>
  createRpcClient(registryService, addresses, { clock, tls });
