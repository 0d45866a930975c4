import { createHash } from 'node:crypto';
import { registryService, watchService } from '@sluice/contracts/services';
import type { Assignment } from '@sluice/contracts/gen/sluice/registry/v1/Assignment';
import type { RenewRuntimeLeaseRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/RenewRuntimeLeaseRequest';
import type { ReportStrikeRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/ReportStrikeRequest';
import type { ServingConfig } from '@sluice/contracts/gen/sluice/registry/v1/ServingConfig';
import type { WatchAssignmentsRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/WatchAssignmentsRequest';
import type { WatchAssignmentsResponse } from '@sluice/contracts/gen/sluice/registry/v1/WatchAssignmentsResponse';
import { notFound } from '@sluice/domain/errors';
import { quarantinedError } from '@sluice/domain/quarantine';
import type { Signature } from '@sluice/domain/signature';
import { createRpcServer, type RpcServer } from '@sluice/rpc/server';
import { unimplemented, watch } from '@sluice/rpc/handlers';
import { createLogger } from '@sluice/service-kit/logger';
import { systemClock } from '@sluice/service-kit/clock';
import { keptPort } from '@sluice/testkit/kept-port';
import { createMetrics } from '@sluice/telemetry/metrics';

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A version as a test writes it down. */
export interface TestVersion {
  readonly model: string;
  readonly version: number;
  readonly signature: Signature;
  readonly files: Readonly<Record<string, Uint8Array>>;
  readonly graphPath?: string;
  readonly serving?: ServingConfig;
  readonly aliases?: readonly string[];
  /** Only a pin holds it. */
  readonly pinned?: boolean;
  /** What admission measured. */
  readonly memoryBytes?: number;
}

/** Serves placement and artifacts over real gRPC, as the registry does, from memory and without a database. */
export class TestRegistry {
  readonly leases: RenewRuntimeLeaseRequest__Output[] = [];
  readonly downloads: { sha256: string; offset: number }[] = [];
  readonly resumeTokens: number[] = [];
  /** The devices that the last watch named. */
  offered: readonly string[] = [];
  /** Called before a chunk is sent; may throw or change the bytes. */
  onChunk: (sha256: string, offset: number, chunk: Uint8Array) => Uint8Array | Promise<Uint8Array> = (
    _sha,
    _at,
    chunk,
  ) => chunk;
  /** Versions that were asked for by number, as `model/version`. */
  readonly asked: string[] = [];
  /** Called before such a question is answered; may throw. */
  onAsked: () => void | Promise<void> = () => undefined;
  takesEvicted = true;
  readonly strikes: ReportStrikeRequest__Output[] = [];
  /** Called before a strike is taken; may throw. */
  onStrike: (strike: ReportStrikeRequest__Output) => void | Promise<void> = () => undefined;
  port = 0;
  released = 0;
  #server: RpcServer | undefined;
  #revision = 1;
  #placed: TestVersion[] = [];
  #unplaced: TestVersion[] = [];
  #quarantined: { readonly model: string; readonly version: number; readonly reason: string }[] = [];
  readonly #artifacts = new Map<string, Uint8Array>();
  #changed = new Set<() => void>();

  async start(port = 0): Promise<this> {
    const logger = createLogger({ service: 'test-registry', instance: 'test', level: 'silent' });
    const metrics = createMetrics({ service: 'test-registry', instanceId: 'test', processMetrics: false });
    const server = createRpcServer({ logger, metrics, clock: systemClock });
    this.#server = server;
    server.addService(watchService, {
      watchAssignments: watch((request: WatchAssignmentsRequest__Output, ctx) => {
        this.offered = request.devices;
        return this.#watch(Number(request.resumeToken), ctx.signal);
      }),
      getAssignment: async ({ model, version }) => {
        this.asked.push(`${model}/${version}`);
        await this.onAsked();
        const struck = this.#quarantined.find((each) => each.model === model && each.version === Number(version));
        if (struck) throw quarantinedError(struck);
        const known = [...this.#placed, ...this.#unplaced];
        const found = known.find((each) => each.model === model && each.version === Number(version));
        if (!found) throw notFound(`${model} has no version ${version}`);
        return { assignment: assignmentOf(found) };
      },
      watchRoutes: unimplemented('not here'),
      renewRouterLease: unimplemented('not here'),
      renewRuntimeLease: async (request) => {
        this.leases.push(request);
        return { ttlMs: request.ttlMs, takesEvicted: this.takesEvicted };
      },
      releaseLease: async () => {
        this.released += 1;
        return {};
      },
      reportStrike: async (request) => {
        await this.onStrike(request);
        this.strikes.push(request);
        return { quarantined: false, strikes: this.strikes.length };
      },
    });
    const others = Object.values(registryService.definition).map((method) => [
      method.originalName!,
      unimplemented('not here'),
    ]);
    server.addService(registryService, {
      ...Object.fromEntries(others),
      downloadArtifact: (request: { sha256: string; offset: string }) =>
        this.#download(request.sha256, Number(request.offset)),
    } as never);
    this.port = await server.bind('127.0.0.1', port || this.port || (await keptPort()));
    return this;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Replaces the whole placement. The first alias `champion` makes a version champion. */
  place(...versions: readonly TestVersion[]): void {
    this.#store(versions);
    this.#placed = [...versions];
    this.#tell();
  }

  /** Takes a version out of service; none lifts all. */
  quarantine(...versions: readonly TestVersion[]): void {
    this.#quarantined = versions.map(({ model, version }) => ({ model, version, reason: 'it ended its runtime' }));
    this.#placed = this.#placed.filter((placed) => !versions.includes(placed));
    this.#tell();
  }

  #tell(): void {
    this.#revision += 1;
    for (const wake of this.#changed) wake();
  }

  /** Versions that exist and are not placed. */
  know(...versions: readonly TestVersion[]): void {
    this.#store(versions);
    this.#unplaced = [...versions];
  }

  #store(versions: readonly TestVersion[]): void {
    for (const version of versions) {
      for (const bytes of Object.values(version.files)) this.#artifacts.set(sha256(bytes), bytes);
    }
  }

  get revision(): number {
    return this.#revision;
  }

  async *#watch(resumeToken: number, signal: AbortSignal): AsyncGenerator<WatchAssignmentsResponse> {
    this.resumeTokens.push(resumeToken);
    let seen = 0;
    while (!signal.aborted) {
      if (seen !== this.#revision) {
        seen = this.#revision;
        const update = { resumeToken: String(seen), snapshot: true, protocolVersion: 2 };
        const placed = this.#placed.map(assignmentOf);
        // A large update comes in parts; here each version is one.
        for (const each of placed.slice(0, -1)) yield { ...update, assignments: [each], more: true };
        yield { ...update, assignments: placed.slice(-1), quarantined: [...this.#quarantined] };
        continue;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#changed.delete(wake);
          resolve();
        };
        this.#changed.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }

  async *#download(digest: string, offset: number) {
    this.downloads.push({ sha256: digest, offset });
    const bytes = this.#artifacts.get(digest);
    if (!bytes) throw notFound(`artifact ${digest}`);
    for (let at = offset; at < bytes.byteLength; at += 65_536) {
      yield { chunk: Buffer.from(await this.onChunk(digest, at, bytes.subarray(at, at + 65_536))) };
    }
  }

  /** Goes away as a killed process does: connections break. `start` brings it back on the same port. */
  async stop(): Promise<void> {
    await this.#server?.tryShutdown(0);
    this.#server = undefined;
  }
}

const tensorOf = (tensor: TestVersion['signature']['inputs'][number]) => ({
  ...tensor,
  shape: [...tensor.shape],
  dimNames: [],
  features: [],
  classNames: [...(tensor.classNames ?? [])],
});

function assignmentOf(version: TestVersion): Assignment {
  const files = Object.entries(version.files).map(([path, bytes]) => ({
    path,
    sha256: sha256(bytes),
    size: String(bytes.byteLength),
  }));
  const aliases = [...(version.aliases ?? [])];
  return {
    model: version.model,
    version: String(version.version),
    digest: sha256(Buffer.from(files.map((file) => `${file.sha256} ${file.path}`).join('\n'))),
    files,
    graphPath: version.graphPath ?? files[0]!.path,
    signature: {
      inputs: version.signature.inputs.map(tensorOf),
      outputs: version.signature.outputs.map(tensorOf),
      batched: version.signature.batched,
    },
    serving: { maxBatchSize: version.signature.batched ? 32 : 0, device: 'cpu', warmupCount: 1, ...version.serving },
    aliases,
    champion: aliases.includes('champion'),
    pinnedOnly: version.pinned ?? false,
    memoryBytes: version.memoryBytes ?? 0,
    heldBy: aliases.map((alias) => `alias:${alias}`),
  };
}
