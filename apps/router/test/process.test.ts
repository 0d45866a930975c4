import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inferenceService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { createRawClient } from '@sluice/rpc/raw-client';
import type { RawOutcome } from '@sluice/rpc/raw-client';
import { systemClock } from '@sluice/service-kit/clock';
import { compileCacheSetting } from '@sluice/testkit/compile-cache';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { inferPath } from '../src/route/forward.ts';
import { wireModel, wireRoutes } from './routes.ts';
import { inferBytes, onEnd, resultOf, temporaryFolder, testRegistry, testRuntime } from './world.ts';

interface RouterProcess {
  readonly child: ChildProcess;
  readonly lines: Record<string, unknown>[];
  readonly errors: string[];
  /** The ready line; rejects when it exits first. */
  readonly ready: Promise<Record<string, unknown>>;
  readonly exit: Promise<number | null>;
}

/** The router as it is run: its own process, supervised by this one. */
function routerProcess(settings: Readonly<Record<string, string>>): RouterProcess {
  const zero = { SLUICE_PORT: '0', SLUICE_METRICS_PORT: '0', SLUICE_ADMIN_PORT: '0', SLUICE_SUPERVISED: '1' };
  const child = fork(join(import.meta.dirname, '../src/main.ts'), [], {
    env: { ...zero, ...compileCacheSetting(), ...settings },
    execArgv: ['--conditions=@sluice/source'],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  onEnd(() => child.kill('SIGKILL'));
  const lines: Record<string, unknown>[] = [];
  const errors: string[] = [];
  const { promise: ready, resolve, reject } = Promise.withResolvers<Record<string, unknown>>();
  ready.catch(() => undefined);
  createInterface({ input: child.stdout! }).on('line', (text) => {
    const line = JSON.parse(text) as Record<string, unknown>;
    lines.push(line);
    if (line['msg'] === 'ready') resolve(line);
  });
  createInterface({ input: child.stderr! }).on('line', (text) => errors.push(text));
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  void exit.then(() => reject(new Error(`it ended: ${JSON.stringify(lines)} ${errors.join('\n')}`)));
  return { child, lines, errors, ready, exit };
}

const digits = wireModel({ aliases: { champion: 3 }, release: 3, placed: [3] });

async function setUp() {
  const runtime = await testRuntime({ id: 'r1', loaded: [['digits', 3, true]] });
  const registry = await testRegistry(wireRoutes(7, [digits], { addresses: [runtime.address] }));
  const settings = { SLUICE_REGISTRY: registry.address, SLUICE_STATE_DIR: await temporaryFolder() };
  return { runtime, registry, settings };
}

async function connect(router: RouterProcess) {
  const address = `127.0.0.1:${String((await router.ready)['port'])}`;
  const client = createRpcClient(inferenceService, address, { clock: systemClock });
  const raw = createRawClient(address);
  onEnd(() => client.close());
  onEnd(() => raw.close());
  const send = (bytes: Uint8Array): Promise<RawOutcome> =>
    new Promise((resolve) => void raw.call(inferPath, bytes, { deadlineMs: systemClock.now() + 10_000 }, resolve));
  await eventually(async () => expect((await client.serverReady({})).ready).toBe(true));
  return { client, send };
}

describe('the router as a process', () => {
  it('says that it is ready, drains on SIGTERM without losing a request, and exits 0', async () => {
    const { runtime, registry, settings } = await setUp();
    const router = routerProcess(settings);
    const ready = await router.ready;
    expect(ready).toMatchObject({ service: 'router', severity: 'info', msg: 'ready' });
    for (const port of ['port', 'metricsPort', 'adminPort']) expect(ready[port]).toBeGreaterThan(0);
    const { send } = await connect(router);
    const held = send(inferBytes({ parameters: { test_wait: { kind: 'bool', value: true } } }));
    await eventually(() => expect(runtime.seen.requests).toBe(1));
    router.child.kill('SIGTERM');
    await eventually(() => expect(registry.released).toHaveLength(1));
    runtime.releaseAll();
    expect(resultOf(await held).outcome).toBe('ok');
    expect(await router.exit).toBe(0);
    expect(router.lines.every((line) => typeof line['time'] === 'string' && typeof line['severity'] === 'string')).toBe(
      true,
    );
  });

  it('serves again after kill -9 with the registry away', async () => {
    const { registry, settings } = await setUp();
    const first = routerProcess(settings);
    const { send } = await connect(first);
    expect(resultOf(await send(inferBytes())).outcome).toBe('ok');
    // It is written beside the requests.
    await eventually(() => access(join(settings['SLUICE_STATE_DIR'], 'routes.snapshot')));
    first.child.kill('SIGKILL');
    await first.exit;
    await registry.stop();
    const second = await connect(routerProcess(settings));
    await eventually(async () => {
      const result = resultOf(await second.send(inferBytes()));
      expect([result.outcome, result.response?.modelVersion]).toEqual(['ok', '3']);
    });
  });

  it('warns when it is open to others, and ends when its supervisor is gone', async () => {
    const { settings } = await setUp();
    const router = routerProcess({ ...settings, SLUICE_HOST: '0.0.0.0' });
    await router.ready;
    const warnings = router.lines.filter(({ severity }) => severity === 'warn').map(({ msg }) => msg);
    expect(warnings).toContainEqual(expect.stringContaining('without TLS or authentication'));
    router.child.disconnect();
    expect(await router.exit).toBe(0);
  });

  it('says in one line that a port is taken, and leaves nothing running', async () => {
    const taken = createServer();
    taken.listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onEnd(() => taken.close());
    const address = taken.address();
    const port = typeof address === 'object' && address ? String(address.port) : '';
    const { settings } = await setUp();
    const router = routerProcess({ ...settings, SLUICE_PORT: port });
    expect(await router.exit).toBe(1);
    const last = router.lines.at(-1)!;
    expect(last).toMatchObject({ severity: 'fatal', msg: 'could not start' });
    expect(JSON.stringify(last['err'])).toContain(`port ${port} of 127.0.0.1 is taken`);
  });

  it('lists what is wrong with its settings and exits 2', async () => {
    const router = routerProcess({ SLUICE_REGISTRY: 'nowhere' });
    expect(await router.exit).toBe(2);
    expect(router.errors.filter((line) => /SLUICE_REGISTRY|stateDir/.test(line))).toHaveLength(2);
  });
});
