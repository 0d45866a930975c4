import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { adminService, inferenceService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { createRawClient, type RawOutcome } from '@sluice/rpc/raw-client';
import { systemClock } from '@sluice/service-kit/clock';
import { eventually } from '@sluice/testkit/eventually';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const inferPath = '/inference.GRPCInferenceService/ModelInfer';

/** A model server as a process of its own, which can crash. */
export class RuntimeProcess {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[] = [];
  readonly ended: Promise<string>;
  readonly #closers: (() => void)[] = [];

  constructor(registry: string, stateDir: string, ...args: readonly string[]) {
    const ports = ['--port=0', '--metrics-port=0', '--admin-port=0', '--threads=1', '--lease-ttl-ms=600'];
    const given = ['--registry', registry, '--state-dir', stateDir, ...ports, ...args];
    this.child = spawn(process.execPath, ['--conditions=@sluice/source', main, ...given], {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    createInterface({ input: this.child.stdout! }).on('line', (line) =>
      this.lines.push(JSON.parse(line) as Record<string, unknown>),
    );
    this.ended = once(this.child, 'close').then(([code, signal]: unknown[]) => String(signal ?? code));
  }

  said(msg: string): Record<string, unknown>[] {
    return this.lines.filter((line) => line['msg'] === msg);
  }

  #port(name: 'port' | 'adminPort' | 'metricsPort'): Promise<number> {
    return eventually(() => {
      const [ready] = this.said('ready');
      if (!ready) throw new Error(`not ready:\n${JSON.stringify(this.lines)}`);
      return ready[name] as number;
    }, 30_000);
  }

  async modelReady(name: string): Promise<void> {
    const client = createRpcClient(inferenceService, `127.0.0.1:${await this.#port('port')}`, { clock: systemClock });
    this.#closers.push(() => client.close());
    await eventually(async () => {
      if (!(await client.modelReady({ name })).ready) throw new Error(`${name} is not ready`);
    }, 30_000);
  }

  async send(bytes: Uint8Array): Promise<RawOutcome> {
    const raw = createRawClient(`127.0.0.1:${await this.#port('port')}`);
    this.#closers.push(() => raw.close());
    const { promise, resolve } = Promise.withResolvers<RawOutcome>();
    raw.call(inferPath, bytes, { deadlineMs: Date.now() + 60_000 }, resolve);
    return promise;
  }

  async state(): Promise<{ versions: Record<string, unknown>[]; [key: string]: unknown }> {
    const admin = createRpcClient(adminService, `127.0.0.1:${await this.#port('adminPort')}`, { clock: systemClock });
    try {
      return JSON.parse((await admin.getState({})).stateJson) as { versions: Record<string, unknown>[] };
    } finally {
      admin.close();
    }
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${await this.#port('metricsPort')}/metrics`)).text();
  }

  /** Ends it as the kernel does on a fault of native code. Resolves with the signal that it ended by. */
  async fault(): Promise<string> {
    this.child.kill('SIGSEGV');
    return this.ended;
  }

  async stop(): Promise<void> {
    for (const close of this.#closers) close();
    this.child.kill('SIGKILL');
    await this.ended;
  }
}
