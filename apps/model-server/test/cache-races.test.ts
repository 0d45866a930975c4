import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { servingDefaults } from '@sluice/domain/signature';
import { RegistryLink } from '../src/registry/registry-link.ts';
import type { RegistryPort } from '../src/registry/ports.ts';
import { cpuOnly } from '../src/runtime/devices.ts';
import { ArtifactCache } from '../src/versions/artifact-cache.ts';
import type { Assignment, PlacementChange } from '../src/versions/assignment.ts';
import { StatusBoard } from '../src/versions/status-board.ts';
import { newMarkStart } from '../src/runtime/thread-mark.ts';
import { StrikeBook } from '../src/watchdog/strike-book.ts';
import { VersionSet } from '../src/versions/version-set.ts';
import { createLogger } from '@sluice/service-kit/logger';
import { systemClock, systemRandom } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';
import { adder } from './support/adder.ts';
import { temporaryFolder } from './support/runtime.ts';
import { sha256 } from './support/test-registry.ts';

const logger = createLogger({ service: 'model-server', instance: 'test', level: 'silent' });
const bytesOf = new Map<string, Uint8Array>();

function assignmentOf(model: string, version: number, number = version): Assignment {
  const { signature, files } = adder(number);
  const bytes = files['m.onnx']!;
  const sha = sha256(bytes);
  bytesOf.set(sha, bytes);
  return {
    model,
    version,
    // As the registry makes it: of the files alone.
    digest: sha256(Buffer.from(`${sha} ${bytes.byteLength} m.onnx\n`)),
    files: [{ path: 'm.onnx', sha256: sha, size: bytes.byteLength }],
    graphPath: 'm.onnx',
    signature,
    serving: { ...servingDefaults, maxBatchSize: 8, warmupCount: 0 },
    aliases: [],
    champion: false,
    pinnedOnly: false,
    memoryBytes: 0,
  };
}

/** A registry whose next placement, downloads and snapshot writes wait for the test. */
class HeldOutside {
  readonly stateDir = temporaryFolder();
  readonly placed: PlacementChange[] = [];
  readonly registry: RegistryPort;
  /** Called between the two halves of each download. */
  midway: (sha: string) => Promise<void> = async () => undefined;
  beforeWrite: () => Promise<void> = async () => undefined;
  readonly versions: VersionSet;
  readonly cache: ArtifactCache;
  readonly link: RegistryLink;
  #wake: () => void = () => undefined;

  constructor() {
    this.registry = {
      watchAssignments: (_token, signal) => this.#watch(signal),
      renewLease: async () => 60_000,
      releaseLease: async () => undefined,
      getAssignment: async () => assignmentOf('nobody', 1),
      reportStrike: async () => ({ quarantined: false, strikes: 1 }),
      download: (sha, offset) => this.#download(sha, offset),
    };
    this.cache = new ArtifactCache(this.stateDir, this.registry, systemClock);
    this.versions = new VersionSet({
      clock: systemClock,
      random: systemRandom,
      logger,
      cache: this.cache,
      threads: 1,
      register: { started: () => newMarkStart(), ended: () => undefined },
      crashNumber: () => 0,
      strikes: new StrikeBook(this.stateDir, () => systemClock.now()),
      devices: cpuOnly,
      defer: (fn) => void setImmediate(fn),
      budgetBytes: Infinity,
      evictionDrainMs: 1_000,
      demandIdleMs: 600_000,
      getAssignment: (model, version) => this.registry.getAssignment(model, version),
      residentBytes: () => process.memoryUsage.rss(),
      changed: () => this.link.versionsChanged(),
    });
    this.link = new RegistryLink({
      registry: this.registry,
      versions: this.versions,
      board: new StatusBoard(),
      snapshot: { read: async () => undefined, write: () => this.beforeWrite() },
      clock: systemClock,
      random: systemRandom,
      logger,
      ttlMs: 60_000,
      registryUp: () => undefined,
      becameReady: () => undefined,
    });
  }

  place(revision: number, ...assignments: Assignment[]): void {
    this.placed.push({ revision, snapshot: true, assignments, removed: [], quarantined: [] });
    this.#wake();
  }

  async *#watch(signal: AbortSignal): AsyncGenerator<PlacementChange> {
    signal.addEventListener('abort', () => this.#wake());
    while (!signal.aborted) {
      const next = this.placed.shift();
      if (next) yield next;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async *#download(sha: string, offset: number): AsyncGenerator<Uint8Array> {
    const bytes = bytesOf.get(sha)!;
    yield bytes.subarray(offset, bytes.length >> 1);
    await this.midway(sha);
    yield bytes.subarray(Math.max(offset, bytes.length >> 1));
  }

  states(): Record<string, string> {
    return Object.fromEntries(
      this.versions.versions().map(({ key, state, reason }) => [key, `${state} ${reason}`.trim()]),
    );
  }

  async stop(): Promise<void> {
    await this.link.stop();
    await this.versions.close();
  }
}

let outside: HeldOutside;
beforeEach(() => (outside = new HeldOutside()));
afterEach(() => outside.stop());

describe('files are kept while anybody needs them', () => {
  it('when an older placement is only now on disk, and a newer one is downloading', async () => {
    const first = assignmentOf('adder', 1);
    const second = assignmentOf('adder', 2);
    const written = Promise.withResolvers<undefined>();
    const arrived = Promise.withResolvers<undefined>();
    let writes = 0;
    outside.beforeWrite = async () => {
      writes += 1;
      if (writes === 1) await written.promise;
    };
    outside.midway = async (sha) => {
      if (sha === second.files[0]!.sha256) await arrived.promise;
    };
    await outside.link.start();
    outside.place(1, first);
    await eventually(() => expect(outside.states()).toEqual({ 'adder/1': 'ready' }));
    outside.place(2, first, second);
    const partial = path.join(outside.stateDir, 'artifacts', `${second.files[0]!.sha256}.partial`);
    await eventually(() => expect(existsSync(partial)).toBe(true));
    written.resolve(undefined);
    await eventually(() => expect(writes).toBe(2));
    expect(existsSync(partial)).toBe(true);
    arrived.resolve(undefined);
    await eventually(() => expect(outside.states()).toEqual({ 'adder/1': 'ready', 'adder/2': 'ready' }));
  });

  it('when a version of the same files leaves while another loads', async () => {
    const leaving = assignmentOf('left', 1, 7);
    const staying = assignmentOf('stays', 1, 7);
    expect(staying.digest).toBe(leaving.digest);
    await outside.link.start();
    outside.place(1, leaving);
    await eventually(() => expect(outside.states()).toEqual({ 'left/1': 'ready' }));
    outside.place(2, staying);
    await eventually(() => expect(outside.states()).toEqual({ 'stays/1': 'ready' }));
    await outside.versions.idle();
    expect(existsSync(path.join(outside.stateDir, 'versions', staying.digest, 'm.onnx'))).toBe(true);
    outside.place(3);
    await eventually(() => expect(readdirSync(path.join(outside.stateDir, 'versions'))).toEqual([]));
    await eventually(() => expect(readdirSync(path.join(outside.stateDir, 'artifacts'))).toEqual([]));
  });

  it('is asked before each deletion, not once', async () => {
    const first = assignmentOf('adder', 3);
    const second = assignmentOf('adder', 4);
    const { signal } = new AbortController();
    await outside.cache.provide(first, signal);
    await outside.cache.provide(second, signal);
    let asked = 0;
    // Both are unneeded at first; from the second question on all are needed.
    const freed = await outside.cache.prune(() => (++asked === 1 ? [] : [first, second]));
    expect(asked).toBe(4);
    expect(freed).toBe(first.files[0]!.size);
    expect(readdirSync(path.join(outside.stateDir, 'artifacts'))).toHaveLength(1);
    expect(readdirSync(path.join(outside.stateDir, 'versions'))).toHaveLength(2);
  });

  it('and are made anew when they are needed while they are being deleted', async () => {
    const version = assignmentOf('adder', 5);
    const { signal } = new AbortController();
    await outside.cache.provide(version, signal);
    const dropped = outside.cache.drop(version, () => []);
    const [graph] = await Promise.all([outside.cache.provide(version, signal), dropped]);
    expect(existsSync(graph)).toBe(true);
  });
});
