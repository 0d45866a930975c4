import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import { seedOf } from '@sluice/domain/generated-rows';
import type { ServingConfig } from '@sluice/domain/signature';
import { storableText } from '@sluice/domain/text';
import type { VersionFile } from '@sluice/domain/version';
import type { ArtifactStore } from '../artifacts/artifact-store.ts';
import type {
  Admission,
  AdmissionCheck,
  AdmissionOutcome,
  AdmissionReport,
  AdmitOptions,
  InspectedVersion,
} from './admission.ts';
import type { AdmissionJob, ChildMessage } from './child-protocol.ts';
import { Gate } from './gate.ts';
import { inspectVersion } from './inspect-version.ts';
import { type ChildEnd, runChild } from './run-child.ts';

export interface AdmissionConfig {
  readonly store: ArtifactStore;
  readonly clock: Clock;
  /** Absolute path of a folder for what is laid out; on the store's file system files are linked, not copied. */
  readonly workFolder: string;
  /** Children that run at once; default 1. */
  readonly maxConcurrent?: number;
  /** Longest life of a child in milliseconds; default 120,000. */
  readonly timeLimitMs?: number;
  /** Resident memory of a child above which it is killed, in bytes; default 4 GiB. */
  readonly memoryLimitBytes?: number;
  /** Longest time for measuring one latency in milliseconds; default 1,000. */
  readonly measureMs?: number;
}

const prefix = 'admission-';
const checkWords: Readonly<Record<string, string>> = { true: 'ok', false: 'FAILED' };

/** Admission as the registry runs it; see `Admission` for what it does. */
export function createAdmission(config: AdmissionConfig): Admission {
  return new ChildAdmission(config);
}

class ChildAdmission implements Admission {
  readonly #config: AdmissionConfig;
  readonly #gate: Gate;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();

  constructor(config: AdmissionConfig) {
    this.#config = config;
    this.#gate = new Gate(config.maxConcurrent ?? 1);
  }

  inspect(candidate: Parameters<Admission['inspect']>[0]): Promise<InspectedVersion> {
    return inspectVersion(this.#config.store, candidate);
  }

  async admit(version: InspectedVersion, options: AdmitOptions = {}): Promise<AdmissionOutcome> {
    const signal = options.signal ? AbortSignal.any([options.signal, this.#closing.signal]) : this.#closing.signal;
    if (this.#gate.inside >= (this.#config.maxConcurrent ?? 1)) {
      options.onProgress?.('waiting for another admission to end');
    }
    const running = this.#gate.run(() => this.#run(version, signal, options.onProgress), signal);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async close(): Promise<void> {
    this.#gate.close();
    this.#closing.abort();
    await Promise.allSettled([...this.#running]);
  }

  async #run(
    version: InspectedVersion,
    signal: AbortSignal,
    onProgress: ((line: string) => void) | undefined,
  ): Promise<AdmissionOutcome> {
    const { clock, timeLimitMs = 120_000, memoryLimitBytes = 4 * 1024 ** 3 } = this.#config;
    const begun = clock.monotonic();
    const findings = new Findings(version, onProgress);
    const folder = await this.#layOut(version.files);
    try {
      const job = jobOf(version, folder, this.#config.measureMs ?? 1000);
      const limits = { timeMs: timeLimitMs, memoryBytes: memoryLimitBytes };
      const end = await runChild(job, {
        clock,
        limits,
        folder,
        signal,
        onMessage: (message) => findings.take(message),
      });
      return findings.outcome(end, Math.round(clock.monotonic() - begun));
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async sweep(): Promise<void> {
    const { workFolder, timeLimitMs = 120_000 } = this.#config;
    const names = await readdir(workFolder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    for (const name of names) {
      if (!name.startsWith(prefix)) continue;
      const path = join(workFolder, name);
      const found = await stat(path).catch(() => undefined);
      if (found && this.#config.clock.now() - found.mtimeMs > 2 * timeLimitMs)
        await rm(path, { recursive: true, force: true });
    }
  }

  /** A folder with the version's files under their relative paths and nothing else. */
  async #layOut(files: readonly VersionFile[]): Promise<string> {
    const { workFolder, store } = this.#config;
    try {
      await mkdir(workFolder, { recursive: true, mode: 0o700 });
      const folder = await mkdtemp(join(workFolder, prefix));
      try {
        for (const file of files) await place(store, folder, file);
        return folder;
      } catch (error) {
        await rm(folder, { recursive: true, force: true });
        throw error;
      }
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      throw new SluiceError(
        code === 'ENOSPC' ? 'resource-exhausted' : 'internal',
        `the version's files could not be laid out for admission (${code})`,
        { cause: error },
      );
    }
  }
}

async function place(store: ArtifactStore, folder: string, file: VersionFile): Promise<void> {
  const parts = file.path.split('/');
  if (parts.length > 1) await mkdir(join(folder, ...parts.slice(0, -1)), { recursive: true, mode: 0o700 });
  await store.place(file.sha256, join(folder, ...parts));
}

function jobOf(version: InspectedVersion, folder: string, measureMs: number): AdmissionJob {
  const ranged = version.manifest.inputs.filter(({ range }) => range !== undefined);
  return {
    graphFile: [folder, ...version.graphPath.split('/')].join(sep),
    signature: version.signature,
    serving: version.serving,
    ranges: Object.fromEntries(ranged.map(({ name, range }) => [name, range!])),
    dimensions: version.manifest.warmUp.dimensions,
    golden: version.manifest.golden,
    seed: seedOf(version.digest),
    measureMs,
  };
}

/** Gathers what a child says into an outcome. */
class Findings {
  readonly #version: InspectedVersion;
  readonly #onProgress: ((line: string) => void) | undefined;
  readonly #checks: AdmissionCheck[] = [];
  #latencyMs = 0;
  #batchLatencyMs = 0;
  #batchRows = 0;
  #batchingOff = '';
  #baseBytes: number | undefined;

  constructor(version: InspectedVersion, onProgress: ((line: string) => void) | undefined) {
    this.#version = version;
    this.#onProgress = onProgress;
    const { graph } = version;
    const external = graph.externalData.length > 0 ? `, ${graph.externalData.length} tensors in other files` : '';
    this.#add({
      name: 'parse',
      passed: true,
      detail: `${graph.nodeCount} nodes of ${graph.operators.length} kinds, ${graph.initializerCount} initializers${external}`,
    });
  }

  take(message: ChildMessage): void {
    switch (message.type) {
      case 'check':
        this.#add(message.check);
        break;
      case 'measured':
        this.#latencyMs = message.latencyMs;
        break;
      case 'measured-batch':
        this.#batchLatencyMs = message.batchLatencyMs;
        this.#batchRows = message.batchRows;
        break;
      case 'batching-off':
        this.#batchingOff = storableText(message.reason);
        break;
      case 'base':
        this.#baseBytes = message.rss;
        break;
      case 'stage':
      case 'memory':
      case 'done':
        break;
    }
  }

  outcome(end: ChildEnd, durationMs: number): AdmissionOutcome {
    if (end.failure) this.#add({ name: end.failure.stage, passed: false, detail: end.failure.reason });
    const failed = this.#checks.find((check) => !check.passed);
    const { serving, derived } = this.#version;
    const report: AdmissionReport = {
      passed: !failed,
      checks: this.#checks,
      durationMs,
      peakRssBytes: end.peakRssBytes,
      latencyMs: this.#latencyMs,
      batchLatencyMs: this.#batchLatencyMs,
      batchRows: this.#batchRows,
      derived: this.#batchingOff ? [...derived, `batching off: ${this.#batchingOff}`] : derived,
      modelBytes: this.#baseBytes === undefined ? 0 : Math.max(0, end.peakRssBytes - this.#baseBytes),
    };
    return {
      passed: !failed,
      rejection: failed ? `${failed.name}: ${failed.detail}` : '',
      serving: this.#batchingOff ? withoutBatching(serving, this.#batchingOff) : serving,
      report,
    };
  }

  #add(said: AdmissionCheck): void {
    // What a runtime library says of a hostile graph may hold anything.
    const check = { ...said, name: storableText(said.name), detail: storableText(said.detail) };
    this.#checks.push(check);
    this.#onProgress?.(`${check.name}: ${checkWords[String(check.passed)]}, ${check.detail}`);
  }
}

const withoutBatching = (serving: ServingConfig, reason: string): ServingConfig => ({
  ...serving,
  maxBatchSize: 0,
  preferredBatchSize: [],
  allowedBatchSizes: [],
  batchingOffReason: reason,
});
