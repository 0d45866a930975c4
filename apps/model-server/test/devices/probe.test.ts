import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '@sluice/service-kit/clock';
import { parseConfig } from '@sluice/service-kit/config';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { graph, model, node, value } from '@sluice/testkit/onnx-builder';
import { describe, expect, it } from 'vitest';
import { configSpec } from '../../src/config.ts';
import { probeInChild } from '../../src/runtime/device-probe.ts';
import { cpuSession, cudaInstall, type SessionDevice } from '../../src/runtime/devices.ts';
import { probeGraph } from '../../src/runtime/probe-graph.ts';
import { temporaryFolder } from '../support/runtime.ts';

const require = createRequire(import.meta.url);
const probe = probeInChild(systemClock);

/** A program in the place of the one that tries a device. */
function programThat(does: string): URL {
  const file = path.join(temporaryFolder(), 'child.mjs');
  writeFileSync(file, does);
  return pathToFileURL(file);
}

describe('trying a device in a process of its own', () => {
  it('runs a graph there, and refuses what would run on the CPU unasked', async () => {
    expect(await probe(cpuSession)).toBe('');
    expect(await probe({ ...cpuSession, cpuToo: false })).toContain('fallback to CPU EP has been explicitly disabled');
  });

  it('says which library is not there, or why the device is not', async () => {
    // No machine has a hundred cards; most have not even the library.
    const cuda: SessionDevice = {
      name: 'cuda:99',
      provider: { name: 'cuda', deviceId: 99 },
      cpuToo: false,
      oneThread: false,
    };
    const reason = await probe(cuda);
    const libraries = path.dirname(require.resolve('onnxruntime-node/package.json'));
    const shared = 'libonnxruntime_providers_shared.so';
    if (existsSync(path.join(libraries, 'bin/napi-v6', process.platform, process.arch, shared))) {
      expect(reason).not.toBe('');
    } else if (process.platform === 'linux') expect(reason).toContain(`(${shared} is not there)`);
  });

  it('survives one that crashes, ends without a word, or never answers', async () => {
    const crash = programThat(`process.kill(process.pid, 'SIGSEGV'); setInterval(() => {}, 1000);`);
    expect(await probeInChild(systemClock, crash)(cpuSession)).toBe('the try ended with SIGSEGV');
    expect(await probeInChild(systemClock, programThat('process.exit(3)'))(cpuSession)).toBe(
      'the try ended with status 3',
    );
    const clock = new FakeClock();
    const hung = probeInChild(clock, programThat('setInterval(() => {}, 1000);'))(cpuSession);
    await eventually(() => expect(clock.pendingTimers).toBe(1));
    clock.advance(60_000);
    expect(await hung).toBe('it did not answer within 60 s');
    expect(clock.pendingTimers).toBe(0);
  });

  it('uses the graph that it says it does', () => {
    const made = model({
      graph: graph({
        nodes: [node('MatMul', ['x', 'x'], ['y'])],
        inputs: [value('x', 'FP32', [2, 2])],
        outputs: [value('y', 'FP32', [2, 2])],
      }),
    });
    expect(Buffer.from(probeGraph).equals(made)).toBe(true);
  });
});

describe('the words for people', () => {
  it('name an installation that this version of onnxruntime-node has', () => {
    const [, what, script] = /^ONNXRUNTIME_NODE_INSTALL=(\w+) node (\S+)$/.exec(cudaInstall)!;
    const folder = path.dirname(require.resolve('onnxruntime-node/package.json'));
    const metadata = require(path.join(folder, 'script/install-metadata.js')) as {
      requirements: Record<string, readonly string[]>;
      manifests: Record<string, Record<string, unknown>>;
    };
    expect(metadata.requirements['linux/x64']).toContain(what);
    expect(Object.keys(metadata.manifests[`linux/x64:${what}`]!)).toContain('./libonnxruntime_providers_cuda.so');
    expect(existsSync(path.join(folder, script!.replace('node_modules/onnxruntime-node/', '')))).toBe(true);
  });

  it('refuse a setting that names what is not known', () => {
    const read = (devices: string) =>
      parseConfig(configSpec, { env: {}, argv: ['--state-dir=/tmp/x', `--devices=${devices}`] }).devices;
    expect(read('cpu, cuda:0,webgpu')).toEqual(['cpu', 'cuda:0', 'webgpu']);
    expect(read('auto')).toEqual(['auto']);
    for (const wrong of ['fake:0', 'auto,cpu', 'cpu,', 'gpu', Array(65).fill('cpu').join()])
      expect(() => read(wrong), wrong).toThrow(/devices/);
  });
});
