import { registryService } from '@sluice/contracts/services';
import { SluiceError } from '@sluice/domain/errors';
import { createRpcClient } from '@sluice/rpc/client';
import type { Task, VersionName } from '../labels/task.ts';
import { taskOfManifest } from '../labels/task.ts';
import type { TaskDirectory } from '../labels/version-tasks.ts';
import type { RegistryDirectoryOptions } from './registry-directory.ts';

const unknown: ReadonlySet<string> = new Set(['not-found', 'invalid-argument']);
const digest = /^[0-9a-f]{64}$/;

/** Tasks of the registry's versions, asked one by one. */
export class RegistryTasks implements TaskDirectory {
  readonly #client: ReturnType<typeof clientOf>;
  readonly #timeoutMs: number;

  constructor(options: RegistryDirectoryOptions) {
    this.#client = clientOf(options);
    this.#timeoutMs = options.timeoutMs;
  }

  async taskOf({ model, version, versionDigest }: VersionName): Promise<Task | undefined> {
    const request = { model, version: String(version) };
    try {
      const { version: found } = await this.#client.getVersion(request, { timeoutMs: this.#timeoutMs });
      if (!found) return undefined;
      // One with another digest is another version, of a registry that was put back.
      if (digest.test(versionDigest) && digest.test(found.digest) && found.digest !== versionDigest) return undefined;
      return taskOfManifest(found.manifestJson, found.signature?.batched ?? false);
    } catch (error) {
      if (unknown.has(SluiceError.from(error).kind)) return undefined;
      throw error;
    }
  }

  close(): void {
    this.#client.close();
  }
}

const clientOf = ({ addresses, clock, tls }: RegistryDirectoryOptions) =>
  createRpcClient(registryService, addresses, { clock, tls });
