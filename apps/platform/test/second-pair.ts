import path from 'node:path';
import { env } from 'node:process';
import { inferenceService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { compileCacheSetting } from '@sluice/testkit/compile-cache';
import { eventually } from '@sluice/testkit/eventually';
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
  #registryPid = 0;
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
    await pair.#routerReady();
    return pair;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map(async (each) => each.stop(10_000)));
  }

  /** kill -9: nobody starts it again. */
  killRegistry(): void {
    process.kill(this.#registryPid, 'SIGKILL');
  }

  /** A router serves when it has a table and a runtime that it reaches, which is a moment after it has started. */
  async #routerReady(): Promise<void> {
    const address = `${host}:${this.ports.router.port}`;
    const client = createRpcClient(inferenceService, address, { clock: systemClock });
    try {
      await eventually(async () => {
        const { ready } = await client.modelReady({ name: 'digits' });
        if (!ready) throw new Error(`router-2 is not ready:\n${this.#lines}`);
      });
    } finally {
      client.close();
    }
  }

  async #start(program: 'registry' | 'router', ports: ServicePorts, settings: Record<string, string>): Promise<void> {
    const child = startChild({
      command: process.execPath,
      args: findLayout(path.join(root, 'apps', 'platform', 'src')).entry(program, 'main'),
      env: {
        PATH: env['PATH'] ?? '',
        ...compileCacheSetting(),
        SLUICE_HOST: host,
        SLUICE_PORT: String(ports.port),
        SLUICE_METRICS_PORT: String(ports.metricsPort),
        SLUICE_ADMIN_PORT: String(ports.adminPort),
        SLUICE_INSTANCE_ID: `${program}-2`,
        ...settings,
      },
      clock: systemClock,
      onLine: (line) => (this.#lines += `${line}\n`),
      onPid: (pid) => {
        if (program === 'registry') this.#registryPid = pid;
      },
    });
    this.#running.push(child);
    const early = child.ended.then((how) => {
      throw new Error(`${program}-2 ended with ${how} beside ${this.#platform.home}:\n${this.#lines}`);
    });
    await Promise.race([child.ready, early]);
    early.catch(() => undefined);
  }
}
