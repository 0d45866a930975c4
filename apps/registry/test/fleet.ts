import type { AssignmentKey__Output } from '@sluice/contracts/gen/sluice/registry/v1/AssignmentKey';
import type { Device } from '@sluice/contracts/gen/sluice/registry/v1/Device';
import type { ModelRoute__Output } from '@sluice/contracts/gen/sluice/registry/v1/ModelRoute';
import type { RuntimeLease__Output } from '@sluice/contracts/gen/sluice/registry/v1/RuntimeLease';
import { systemClock } from '@sluice/service-kit/clock';
import type { WatchClient } from './harness.ts';

export type Verdict = 'ready' | 'loading' | { readonly failed: string };

const key = ({ model, version }: Pick<AssignmentKey__Output, 'model' | 'version'>): string => `${model}:${version}`;

/** Announces itself at intervals until it is stopped. */
abstract class Member {
  readonly id: string;
  protected readonly client: WatchClient;
  protected readonly leaving = new AbortController();
  protected readonly ttlMs: number;
  applied = 0;
  /** Messages of the watch, as they came. */
  updates = 0;

  constructor(client: WatchClient, id: string, ttlMs: number) {
    this.client = client;
    this.id = id;
    this.ttlMs = ttlMs;
  }

  readonly #telling = new Set<Promise<unknown>>();

  protected abstract announce(): Promise<unknown>;
  protected abstract follow(): Promise<void>;

  start(): this {
    void this.#keep();
    void this.#watch();
    return this;
  }

  /** Falls silent without a word, as a killed process does. */
  kill(): void {
    this.leaving.abort();
  }

  async leave(): Promise<void> {
    this.leaving.abort();
    // One that is under way would be a lease again.
    await Promise.all(this.#telling);
    await this.client.releaseLease({ holderId: this.id });
  }

  /** Announces what it is now, unless it has left. */
  protected async tell(): Promise<void> {
    if (this.leaving.signal.aborted) return;
    const told = this.announce().catch(() => undefined);
    this.#telling.add(told);
    await told;
    this.#telling.delete(told);
  }

  async #keep(): Promise<void> {
    while (!this.leaving.signal.aborted) {
      await this.tell();
      await pause(this.ttlMs / 3);
    }
  }

  async #watch(): Promise<void> {
    while (!this.leaving.signal.aborted) {
      await this.follow().catch(() => undefined);
      await pause(50);
    }
  }
}

/** A runtime that loads nothing but says what it is told to say, over real RPC. */
export class FakeRuntime extends Member {
  readonly assigned = new Map<string, { readonly heldBy: readonly string[]; readonly champion: boolean }>();
  readonly snapshots: boolean[] = [];
  /** Of every update of the watch. */
  readonly quarantined: string[][] = [];
  verdict: (version: string) => Verdict = () => 'ready';
  pool = 'default';
  devices: readonly Device[] = [];

  static start(client: WatchClient, id: string, verdict?: (version: string) => Verdict, ttlMs = 1_500): FakeRuntime {
    const runtime = new FakeRuntime(client, id, ttlMs);
    if (verdict) runtime.verdict = verdict;
    return runtime.start();
  }

  /** One of another pool, with devices of its own. */
  static startIn(client: WatchClient, id: string, pool: string, devices: readonly Device[]): FakeRuntime {
    const runtime = new FakeRuntime(client, id, 1_500);
    runtime.pool = pool;
    runtime.devices = devices;
    return runtime.start();
  }

  protected announce(): Promise<unknown> {
    if (this.leaving.signal.aborted) return Promise.resolve();
    return this.client.renewRuntimeLease({
      runtimeId: this.id,
      pool: this.pool,
      address: '127.0.0.1:1',
      appliedRevision: this.applied,
      ttlMs: this.ttlMs,
      devices: [...this.devices],
      versions: [...this.assigned.keys()].map((name) => {
        const [model, version] = name.split(':') as [string, string];
        const verdict = this.verdict(version);
        if (typeof verdict === 'object') {
          return { model, version, state: 'LOAD_STATE_FAILED' as const, reason: verdict.failed };
        }
        return {
          model,
          version,
          state: verdict === 'ready' ? ('LOAD_STATE_READY' as const) : ('LOAD_STATE_LOADING' as const),
        };
      }),
    });
  }

  protected async follow(): Promise<void> {
    const devices = this.devices.map(({ name }) => name ?? '');
    const request = { runtimeId: this.id, pool: this.pool, resumeToken: this.applied, protocolVersion: 2, devices };
    for await (const update of this.client.watchAssignments(request, { signal: this.leaving.signal })) {
      if (update.snapshot) this.assigned.clear();
      for (const gone of update.removed) this.assigned.delete(key(gone));
      for (const { model, version, heldBy, champion } of update.assignments) {
        this.assigned.set(key({ model, version }), { heldBy, champion });
      }
      this.applied = Number(update.resumeToken);
      this.snapshots.push(update.snapshot);
      this.quarantined.push(update.quarantined.map(key));
      this.updates += 1;
      await this.tell();
    }
  }
}

/** A router that routes nothing but applies every update, over real RPC. */
export class FakeRouter extends Member {
  readonly models = new Map<string, ModelRoute__Output>();
  readonly snapshots: boolean[] = [];
  runtimes: readonly RuntimeLease__Output[] = [];
  /** While true, updates are taken and not applied. */
  stuck = false;

  static start(client: WatchClient, id: string, ttlMs = 1_500): FakeRouter {
    return new FakeRouter(client, id, ttlMs).start();
  }

  /** Where an empty version goes. */
  primary(model: string): number | undefined {
    const version = this.models.get(model)?.release?.arms[0]?.version;
    return version === undefined ? undefined : Number(version);
  }

  aliases(model: string): Record<string, number> {
    const aliases = this.models.get(model)?.aliases ?? [];
    return Object.fromEntries(aliases.map(({ alias, version }) => [alias, Number(version)]));
  }

  protected announce(): Promise<unknown> {
    if (this.leaving.signal.aborted) return Promise.resolve();
    return this.client.renewRouterLease({
      routerId: this.id,
      address: '127.0.0.1:1',
      appliedRevision: this.applied,
      ttlMs: this.ttlMs,
    });
  }

  protected async follow(): Promise<void> {
    const request = { routerId: this.id, resumeToken: this.applied, protocolVersion: 2 };
    for await (const update of this.client.watchRoutes(request, { signal: this.leaving.signal })) {
      while (this.stuck) await pause(20);
      if (update.snapshot) this.models.clear();
      for (const model of update.models) this.models.set(model.model, model);
      if (update.runtimes) this.runtimes = update.runtimes.runtimes;
      this.applied = Number(update.resumeToken);
      this.snapshots.push(update.snapshot);
      this.updates += 1;
      await this.tell();
    }
  }
}

/** Waits by the machine's clock; members act on their own time, as real ones do. */
export async function pause(ms: number): Promise<void> {
  await new Promise<void>((resolve) => {
    systemClock.schedule(ms, resolve);
  });
}
