import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inferenceService } from '@sluice/contracts/services';
import { readInferResponse } from '@sluice/inference/infer-response';
import { createRpcClient } from '@sluice/rpc/client';
import { createRawClient, type RawOutcome } from '@sluice/rpc/raw-client';
import { systemClock } from '@sluice/service-kit/clock';
import { identityModel } from '@sluice/testkit/onnx-builder';
import { eventually } from '@sluice/testkit/eventually';
import { counting } from './support/counting-model.ts';
import { identitySignature, requestOf, temporaryFolder } from './support/runtime.ts';
import { TestRegistry } from './support/test-registry.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const infer = '/inference.GRPCInferenceService/ModelInfer';
let registry: TestRegistry;
let child: ChildProcess;
let lines: Record<string, unknown>[];

async function start(...args: string[]): Promise<Record<string, number>> {
  const ports = ['--port=0', '--metrics-port=0', '--admin-port=0'];
  const given = ['--registry', registry.address, '--state-dir', temporaryFolder(), ...ports, ...args];
  child = spawn(process.execPath, ['--conditions=@sluice/source', main, ...given], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  lines = [];
  createInterface({ input: child.stdout! }).on('line', (line) =>
    lines.push(JSON.parse(line) as Record<string, unknown>),
  );
  return eventually(() => {
    const ready = lines.find((line) => line['msg'] === 'ready');
    if (!ready) throw new Error('not ready');
    return ready as Record<string, number>;
  }, 60_000);
}

async function exit(): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

beforeEach(async () => {
  registry = await new TestRegistry().start();
  registry.place({
    model: 'echo',
    version: 1,
    signature: identitySignature('FP32', [-1, 3]),
    files: { 'm.onnx': identityModel('FP32', ['batch', 3]) },
    aliases: ['champion'],
  });
});
afterEach(async () => {
  child.kill('SIGKILL');
  await exit();
  await registry.stop();
});

describe('the process', () => {
  it('serves, and on SIGTERM finishes what it has, gives its lease back and exits 0', async () => {
    const { port } = await start();
    const address = `127.0.0.1:${port}`;
    const oip = createRpcClient(inferenceService, address, { clock: systemClock });
    await eventually(async () => expect(await oip.modelReady({ name: 'echo' })).toEqual({ ready: true }), 60_000);
    const raw = createRawClient(address);
    const answers = Array.from({ length: 200 }, (_, index) => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const bytes = requestOf('echo', 'FP32', [1, 3], [index, 1, 2]);
      raw.call(infer, bytes, { deadlineMs: Date.now() + 10_000 }, (outcome) =>
        resolve(outcome.message ? readInferResponse(outcome.message).modelVersion : String(outcome.error?.kind)),
      );
      return promise;
    });
    await answers[0];
    child.kill('SIGTERM');
    const ended = await Promise.all(answers);
    // What was on its way when the port closed was refused as never processed; nothing else may happen.
    expect([...new Set(ended)].filter((how) => how !== '1' && how !== 'unavailable')).toEqual([]);
    expect(ended.filter((how) => how === '1').length).toBeGreaterThan(0);
    expect(await exit()).toBe(0);
    expect(registry.released).toBe(1);
    raw.close();
    oip.close();
  });

  it('does not wait for a model that hangs: its callers are answered and the process ends', async () => {
    // The warm-up asks for no trips at all.
    registry.place(counting('endless'));
    const { port } = await start('--drain-ms=300');
    const address = `127.0.0.1:${port}`;
    const oip = createRpcClient(inferenceService, address, { clock: systemClock });
    await eventually(async () => expect(await oip.modelReady({ name: 'endless' })).toEqual({ ready: true }), 60_000);
    const raw = createRawClient(address);
    const { promise, resolve } = Promise.withResolvers<RawOutcome>();
    const bytes = requestOf('endless', 'INT64', [], [1_000_000_000_000n], { input: 'trips' });
    raw.call(infer, bytes, { deadlineMs: Date.now() + 30_000 }, resolve);
    await eventually(() => expect(raw.isConnected()).toBe(true));
    await oip.serverLive({});
    child.kill('SIGTERM');
    expect((await promise).error?.kind).toBe('unavailable');
    await exit();
    expect(child.signalCode).toBe('SIGKILL');
    raw.close();
    oip.close();
  });

  it('warns when it is open to others, and ends itself when its supervisor is gone', async () => {
    await start('--host=0.0.0.0');
    const warnings = lines.filter(({ severity }) => severity === 'warn').map(({ msg }) => msg);
    expect(warnings).toContainEqual(expect.stringContaining('without TLS or authentication'));
    child.disconnect();
    expect(await exit()).toBe(0);
  });

  it('says what is wrong with its settings and exits 2; a taken port is one line and exit 1', async () => {
    const { port } = await start();
    const again = spawn(process.execPath, ['--conditions=@sluice/source', main, '--threads=-1'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    again.stderr.on('data', (chunk) => (text += String(chunk)));
    expect(((await once(again, 'exit')) as [number])[0]).toBe(2);
    expect(text).toMatch(/--threads: expected a whole number from 0/);
    expect(text).toMatch(/stateDir is not set: give --state-dir or SLUICE_STATE_DIR/);
    const taken = spawn(
      process.execPath,
      ['--conditions=@sluice/source', main, `--port=${port}`, '--state-dir', temporaryFolder()],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let log = '';
    taken.stdout.on('data', (chunk) => (log += String(chunk)));
    expect(((await once(taken, 'exit')) as [number])[0]).toBe(1);
    expect(log).toContain(`port ${port} of 127.0.0.1 is taken`);
  });
});
