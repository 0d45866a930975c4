import { registryService } from '@sluice/contracts/services';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { createRpcClient } from '@sluice/rpc/client';
import type { AliasHistory, AliasThen } from '../predictions/audit-links.ts';
import type { RegistryModel, RegistrySource, RegistryVersion } from '../versions/registry-version.ts';
import { decodeModel, decodeVersion } from './decode-version.ts';
import { timestamp } from './scalars.ts';

export interface RegistryDirectoryOptions {
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly tls: Parameters<typeof createRpcClient>[2]['tls'];
  /** Of one question, in milliseconds. */
  readonly timeoutMs: number;
}

/** Kinds with which a registry says that there is no such thing; with any other one it says that it cannot tell. */
const unknown: ReadonlySet<string> = new Set(['not-found', 'invalid-argument']);

/** The registry's versions and models, asked one by one. */
export class RegistryDirectory implements RegistrySource, AliasHistory {
  readonly #client: ReturnType<typeof clientOf>;
  readonly #timeoutMs: number;

  constructor(options: RegistryDirectoryOptions) {
    this.#client = clientOf(options);
    this.#timeoutMs = options.timeoutMs;
  }

  /** Deleted and rejected versions are there too. */
  findVersion(model: string, version: number): Promise<RegistryVersion | undefined> {
    return unlessUnknown(async () => {
      const answer = await this.#client.getVersion({ model, version: String(version) }, { timeoutMs: this.#timeoutMs });
      return answer.version ? decodeVersion(answer.version) : undefined;
    });
  }

  findModel(name: string): Promise<RegistryModel | undefined> {
    return unlessUnknown(async () =>
      decodeModel(name, await this.#client.getModel({ name }, { timeoutMs: this.#timeoutMs })),
    );
  }

  async aliasesAt(model: string, ms: number): Promise<readonly AliasThen[] | undefined> {
    try {
      const asked = { model, time: timestamp(ms), pageSize: 1 };
      const { aliases } = await this.#client.getStateAsOf(asked, { timeoutMs: this.#timeoutMs });
      return aliases.map(({ alias, version, revision }) => ({
        ...{ alias, version: Number(version), revision: Number(revision) },
      }));
    } catch {
      return undefined;
    }
  }

  close(): void {
    this.#client.close();
  }
}

async function unlessUnknown<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (unknown.has(SluiceError.from(error).kind)) return undefined;
    throw error;
  }
}

const clientOf = ({ addresses, clock, tls }: RegistryDirectoryOptions) =>
  createRpcClient(registryService, addresses, { clock, tls });
