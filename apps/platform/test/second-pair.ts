import path from 'node:path';
import { env } from 'node:process';
import { systemClock } from '@sluice/service-kit/clock';
import { startChild } from '../src/child.ts';
import { databaseAddresses } from '../src/database.ts';
import type { Incarnation } from '../src/keeper.ts';
import { findLayout } from '../src/layout.ts';
import { host, portTable } from '../src/ports.ts';
import type { PortTable, ServicePorts } from '../src/ports.ts';
import { openSecrets } from '../src/secrets.ts';
import { freeOffset, root } from './running-platform.ts';
import type { RunningPlatform } from './running-platform.ts';

/** A second registry and a second router beside a platform's own, on its database and its artifacts. */
export class SecondPair {
  readonly ports: PortTable;
  readonly #platform: RunningPlatform;
  readonly #running: Incarnation[] = [];
  #lines = '';

  private constructor(platform: RunningPlatform, ports: PortTable) {
    this.#platform = platform;
    this.ports = ports;
  }

  static async start(platform: RunningPlatform): Promise<SecondPair> {
    const pair = new SecondPair(platform, portTable(await freeOffset(), 1));
    const secrets = await openSecrets(path.join(platform.home, 'secrets'));
    const { registryUrl } = databaseAddresses(platform.ports.postgres, secrets);
    await pair.#start('registry', pair.ports.registry, {
      SLUICE_DATABASE_URL: registryUrl,
      SLUICE_ARTIFACT_DIR: path.join(platform.home, 'artifacts'),
      SLUICE_AUDIT_KEY_FILE: secrets.auditKeyFile,
    });
    const [own, other] = [pair.ports, platform.ports].map(({ registry }) => `${host}:${registry.port}`);
    await pair.#start('router', pair.ports.router, {
      SLUICE_REGISTRY: `${own},${other}`,
      SLUICE_STATE_DIR: path.join(platform.home, 'router-2'),
    });
    return pair;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(async (each) => each.stop(10_000)));
  }

  async #start(program: 'registry' | 'router', ports: ServicePorts, settings: Record<string, string>): Promise<void> {
    const child = startChild({
      command: process.execPath,
      args: findLayout(path.join(root, 'apps', 'platform', 'src')).entry(program, 'main'),
      env: {
        PATH: env['PATH'] ?? '',
        SLUICE_HOST: host,
        SLUICE_PORT: String(ports.port),
        SLUICE_METRICS_PORT: String(ports.metricsPort),
        SLUICE_ADMIN_PORT: String(ports.adminPort),
        SLUICE_INSTANCE_ID: `${program}-2`,
        ...settings,
      },
      clock: systemClock,
      onLine: (line) => (this.#lines += `${line}\n`),
      onPid: () => undefined,
    });
    this.#running.push(child);
    const early = child.ended.then((how) => {
      throw new Error(`${program}-2 ended with ${how} beside ${this.#platform.home}:\n${this.#lines}`);
    });
    await Promise.race([child.ready, early]);
    early.catch(() => undefined);
  }
}
