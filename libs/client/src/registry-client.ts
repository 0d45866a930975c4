import { createHash } from 'node:crypto';
import { auditService, registryService, watchService } from '@sluice/contracts/services';
import type {
  AuditServiceMethods,
  RegistryServiceMethods,
  Service,
  WatchServiceMethods,
} from '@sluice/contracts/services';
import type { Clock, Random } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { createRpcClient } from '@sluice/rpc/client';
import type { CallOptions, RpcClient } from '@sluice/rpc/client';
import { RpcError } from '@sluice/rpc/status';
import type { TlsSource } from '@sluice/rpc/tls/source';
import { systemRandom } from '@sluice/service-kit/clock';
import { parseAddresses } from './addresses.ts';
import { callerClock } from './caller-clock.ts';
import { chunkBytes, digestFile, fileChunks } from './files.ts';
import type { FileDigest, Progress } from './files.ts';
import { withRetries } from './retrying.ts';
import type { RetryOptions } from './retrying.ts';

export const defaultRegistryPort = 8101;

export interface RegistryClientOptions {
  /** Who makes the changes: sent as `sluice-actor`. */
  readonly actor?: string;
  /** Of one unary call with all its attempts, in milliseconds; default 30,000. */
  readonly timeoutMs?: number;
  /** How long to go on while the registry is away, in milliseconds; default 3,000. 0 sends every call once. */
  readonly retryForMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** What connections are secured with; without it they are plain. */
  readonly tls?: TlsSource | undefined;
}

export interface Upload extends FileDigest {
  /** False when the registry had it already. */
  readonly stored: boolean;
}

/** A client of the registry. Unary calls are retried while it is away, changes only when they cannot have begun. */
export class RegistryClient {
  /** Models, versions, aliases, approvals, pins. */
  readonly registry: RpcClient<RegistryServiceMethods>;
  readonly audit: RpcClient<AuditServiceMethods>;
  /** What routers and runtimes follow. */
  readonly watch: RpcClient<WatchServiceMethods>;
  readonly #retry: RetryOptions;

  /** @param addresses `host:port`, comma separated; the next is used when one is away */
  constructor(addresses: string, options: RegistryClientOptions = {}) {
    const list = parseAddresses(addresses, defaultRegistryPort);
    const clock = options.clock ?? callerClock;
    this.#retry = { clock, random: options.random ?? systemRandom, retryForMs: options.retryForMs ?? 3_000 };
    const timeoutMs = options.timeoutMs ?? 30_000;
    const make = <Methods>(service: Service<Methods>): RpcClient<Methods> => {
      const client = createRpcClient(service, list, {
        clock,
        defaultTimeoutMs: timeoutMs,
        tls: options.tls,
        ...(options.actor !== undefined && { actor: options.actor }),
      });
      return retrying(service, client, this.#retry, timeoutMs);
    };
    this.registry = make(registryService);
    this.audit = make(auditService);
    this.watch = make(watchService);
  }

  /**
   * Uploads bytes that the caller knows size and digest of.
   *
   * @param chunks of at most 1 MiB; larger ones are cut
   * @throws RpcError data-loss or invalid-argument when the bytes are not what was announced, resource-exhausted when the
   * registry's disk is full
   */
  async upload(
    file: FileDigest,
    chunks: AsyncIterable<Uint8Array>,
    onProgress?: Progress,
    options: CallOptions = {},
  ): Promise<Upload> {
    const answer = await this.registry.uploadArtifact(uploadMessages(file, chunks, onProgress), options);
    return { sha256: answer.sha256, size: Number(answer.size), stored: answer.stored };
  }

  /**
   * Uploads a file unless the registry has its bytes already. An upload that broke off is begun again, once.
   *
   * @param digest when the caller has it; otherwise the file is read twice
   */
  async uploadFile(
    path: string,
    onProgress?: Progress,
    digest?: FileDigest,
    options: CallOptions = {},
  ): Promise<Upload> {
    const file = digest ?? (await digestFile(path));
    const { present } = await this.registry.statArtifacts({ sha256: [file.sha256] }, { signal: options.signal });
    if (present.includes(file.sha256)) {
      onProgress?.(file.size, file.size);
      return { ...file, stored: false };
    }
    return withRetries(this.#retry, { idempotent: true, signal: options.signal }, () =>
      this.upload(file, fileChunks(path), onProgress, options),
    );
  }

  /**
   * Downloads an artifact; goes on where it was when the connection breaks, and checks the digest at the end.
   *
   * @throws SluiceError data-loss when the bytes are not those of the digest; RpcError not-found
   */
  async *download(sha256: string, options: CallOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    const hash = createHash('sha256');
    let offset = 0;
    for (;;) {
      const before = offset;
      try {
        for await (const { chunk } of this.registry.downloadArtifact({ sha256, offset }, options)) {
          hash.update(chunk);
          offset += chunk.length;
          yield chunk;
        }
        break;
      } catch (error) {
        const isBroken = error instanceof RpcError && error.kind === 'unavailable';
        // Without a byte of progress it would go round for ever.
        if (!isBroken || offset === before) throw error;
      }
    }
    const got = hash.digest('hex');
    if (got !== sha256)
      throw new SluiceError(
        'data-loss',
        `artifact ${sha256} arrived with the digest ${got}: do not use it, download again`,
      );
  }

  close(): void {
    for (const client of [this.registry, this.audit, this.watch]) client.close();
  }
}

/** @param addresses of registries, such as `127.0.0.1:8101` */
export function createRegistryClient(addresses: string, options: RegistryClientOptions = {}): RegistryClient {
  return new RegistryClient(addresses, options);
}

async function* uploadMessages(file: FileDigest, chunks: AsyncIterable<Uint8Array>, onProgress?: Progress) {
  yield { header: { sha256: file.sha256, size: file.size } };
  let done = 0;
  for await (const chunk of chunks)
    for (let from = 0; from < chunk.length; from += chunkBytes) {
      const part = chunk.subarray(from, from + chunkBytes);
      yield { chunk: Buffer.from(part.buffer, part.byteOffset, part.byteLength) };
      done += part.length;
      onProgress?.(done, file.size);
    }
}

/** Calls that change nothing. */
const reads = /^(?:get|list|stat)[A-Z]/;

/** The client with its unary calls retried; streams stay as they are. */
export function retrying<Methods>(
  service: Service<Methods>,
  client: RpcClient<Methods>,
  retry: RetryOptions,
  timeoutMs: number,
): RpcClient<Methods> {
  const wrapped: Record<string, unknown> = { ...client };
  for (const [path, method] of Object.entries(service.definition)) {
    if (method.requestStream || method.responseStream) continue;
    const name = method.originalName ?? path;
    const once = (client as Record<string, unknown>)[name] as (
      request: object,
      options: CallOptions,
    ) => Promise<object>;
    wrapped[name] = (request: object, options: CallOptions = {}) => {
      const deadlineMs = options.deadlineMs ?? retry.clock.now() + (options.timeoutMs ?? timeoutMs);
      const idempotent = reads.test(name);
      const call = { idempotent, change: !idempotent, deadlineMs, signal: options.signal };
      return withRetries(retry, call, () => once(request, { ...options, deadlineMs }));
    };
  }
  return Object.freeze(wrapped) as RpcClient<Methods>;
}
