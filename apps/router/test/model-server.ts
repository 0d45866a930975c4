import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { compileCacheSetting } from '@sluice/testkit/compile-cache';
import { transportSetting } from '@sluice/testkit/transport';
import { runtimeService } from '@sluice/contracts/services';
import type { RuntimeServiceMethods } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import type { RpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { keptPort } from '@sluice/testkit/kept-port';
import { onEnd, temporaryFolder } from './world.ts';

/** A real runtime, as it is run: its own process. */
export interface ModelServer {
  readonly address: string;
  readonly client: RpcClient<RuntimeServiceMethods>;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
}

export async function modelServer(id: string, registry: string): Promise<ModelServer> {
  const port = await keptPort();
  const child = fork(join(import.meta.dirname, '../../model-server/src/main.ts'), [], {
    env: {
      ...{ SLUICE_INSTANCE_ID: id, SLUICE_REGISTRY: registry, SLUICE_STATE_DIR: await temporaryFolder() },
      ...{ SLUICE_PORT: String(port), SLUICE_METRICS_PORT: '0', SLUICE_ADMIN_PORT: '0', SLUICE_THREADS: '1' },
      SLUICE_SUPERVISED: '1',
      ...transportSetting(),
      ...compileCacheSetting(),
    },
    execArgv: ['--conditions=@sluice/source'],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  onEnd(() => child.kill('SIGKILL'));
  await untilReady(child);
  const address = `127.0.0.1:${port}`;
  const client = createRpcClient(runtimeService, address, { clock: systemClock });
  onEnd(() => client.close());
  return {
    address,
    client,
    async kill() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function untilReady(child: ChildProcess): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const printed: string[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => {
    printed.push(line);
    if (line.includes('"msg":"ready"')) resolve(undefined);
  });
  child.once('exit', () => reject(new Error(`a model-server ended:\n${printed.join('\n')}`)));
  await promise;
}
