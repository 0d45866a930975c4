import path from 'node:path';
import { noEvidence, setCapture } from './capture.ts';
import { tlsSuffix } from './load-rows.ts';
import type { BenchOptions } from './options.ts';
import { startPlatform, type RunningPlatform } from './platform.ts';
import { platformSubject, type Subject } from './subject.ts';
import type { TlsFiles } from './tls-files.ts';

/** Between the ports of the platform without TLS and those of the other. */
const securedOffset = 200;

const exampleModels = ['digits', 'wdbc'];

/** A running platform, and how it is measured. */
export interface MeasuredPlatform {
  readonly home: string;
  /** As of its start, by the names of `RunningPlatform`. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  readonly registryAddress: string;
  readonly postgresPort: number;
  /** Of the model-server. */
  readonly metricsPort: number;
  readonly routerMetricsPort: number;
  readonly feedbackMetricsPort: number;
  readonly direct: Subject;
  readonly router: Subject;
}

export interface PlatformsOptions extends Pick<BenchOptions, 'portOffset' | 'threads' | 'transport'> {
  /** The repository. */
  readonly root: string;
  /** The homes are in it. */
  readonly folder: string;
  readonly tls: () => Promise<TlsFiles>;
  readonly say: (line: string) => void;
}

/** The platforms of a bench, one with TLS and one without; each is started when the first asks for it. */
export class Platforms {
  readonly #options: PlatformsOptions;
  readonly #running: RunningPlatform[] = [];
  #plain: Promise<MeasuredPlatform> | undefined;
  #secured: Promise<MeasuredPlatform> | undefined;

  constructor(options: PlatformsOptions) {
    this.#options = options;
  }

  plain(): Promise<MeasuredPlatform> {
    return (this.#plain ??= this.#start('', this.#options.portOffset));
  }

  /** All its ports and all calls between its services have TLS. */
  secured(): Promise<MeasuredPlatform> {
    return (this.#secured ??= this.#start(tlsSuffix, this.#options.portOffset + securedOffset));
  }

  async stop(): Promise<void> {
    for (const platform of this.#running.splice(0)) await platform.stop();
  }

  async #start(suffix: '' | typeof tlsSuffix, portOffset: number): Promise<MeasuredPlatform> {
    const { root, folder, threads, transport, say } = this.#options;
    say(suffix === '' ? 'starting the platform' : 'starting a platform with TLS');
    const tls = suffix === '' ? undefined : await this.#options.tls();
    const home = path.join(folder, `platform${suffix}`);
    const platform = await startPlatform({ root, home, portOffset, runtimes: 1, threads, transport, tls });
    this.#running.push(platform);
    const { router, 'runtime-1': runtime, registry, platform: supervisor, postgres } = platform.pids;
    const idle = { registry: registry!, supervisor: supervisor!, postgres: postgres ?? [] };
    const metricsPort = portOffset + 8012;
    const both = { metricsPort, caFile: tls?.ca };
    const { registryAddress } = platform;
    for (const model of exampleModels) await setCapture(registryAddress, model, noEvidence, tls?.ca);
    return {
      ...{ home, pids: platform.pids, registryAddress, postgresPort: portOffset + 8154 },
      ...{ metricsPort, routerMetricsPort: portOffset + 8002, feedbackMetricsPort: portOffset + 8112 },
      direct: platformSubject(`direct${suffix}`, {
        ...{ ...both, port: portOffset + 8011 },
        ...{ pids: { 'model-server': runtime!, ...idle }, busy: ['model-server'] },
      }),
      router: platformSubject(`router${suffix}`, {
        ...{ ...both, port: portOffset + 8001, routerMetricsPort: portOffset + 8002 },
        pids: { router: router!, 'model-server': runtime!, ...idle },
        busy: ['router', 'model-server'],
      }),
    };
  }
}
