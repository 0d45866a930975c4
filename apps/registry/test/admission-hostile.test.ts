import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attribute, graph, identityModel, model, node, tensor, value } from '@sluice/testkit/onnx-builder';
import { eventually } from '@sluice/testkit/eventually';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bench, examples } from './admission-fixture.ts';
import { temporaryFolder } from './artifact-store-contract.ts';
import { propertyRuns } from './property-runs.ts';

const x = value('x', 'FP32', ['batch', 3]);
const y = value('y', 'FP32', ['batch', 3]);

/** Goes round a loop 2^62 times before it answers. */
const endless = (() => {
  const body = graph({
    name: 'body',
    nodes: [node('Identity', ['condition'], ['again']), node('Add', ['carried', 'carried'], ['next'])],
    inputs: [value('i', 'INT64', []), value('condition', 'BOOL', []), value('carried', 'FP32')],
    outputs: [value('again', 'BOOL', []), value('next', 'FP32')],
  });
  return model({
    graph: graph({
      nodes: [node('Loop', ['count', 'yes', 'x'], ['y'], [attribute.graph('body', body)])],
      inputs: [x],
      outputs: [y],
      initializers: [tensor('count', 'INT64', [], [2n ** 62n]), tensor('yes', 'BOOL', [], [true])],
    }),
  });
})();

/** Makes a tensor of `elements` FP32 values, all written to, on the way to its answer. */
const hungry = (elements: bigint) =>
  model({
    graph: graph({
      nodes: [
        node('ConstantOfShape', ['shape'], ['big'], [attribute.tensor('value', tensor('', 'FP32', [1], [1]))]),
        node('ReduceMax', ['big'], ['most'], [attribute.int('keepdims', 0)]),
        node('Add', ['x', 'most'], ['y']),
      ],
      inputs: [x],
      outputs: [y],
      initializers: [tensor('shape', 'INT64', [1], [elements])],
    }),
  });

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** Seconds that it has computed. */
  readonly cpu: number;
}

/** The processes on this machine that run an admission. */
function admissionProcesses(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      if (!/admission.child\.[tj]s/.test(readFileSync(`/proc/${name}/cmdline`, 'latin1'))) return [];
      const fields = readFileSync(`/proc/${name}/stat`, 'latin1')
        .replace(/^.*\) /, '')
        .split(' ');
      if (fields[0] === 'Z') return [];
      return [{ pid: Number(name), parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) / 100 }];
    } catch {
      return []; // It ended in the meantime.
    }
  });
}

const children = (parent = process.pid) => admissionProcesses().filter((one) => one.parent === parent);

/** The one admission that `parent` runs, once it has computed for a second more than `from`: in the midst of an endless loop. */
const busyChild = (parent?: number, from = 0): Promise<Process> =>
  eventually(() => {
    const [child, ...others] = children(parent);
    expect(others).toEqual([]);
    expect(child?.cpu).toBeGreaterThan(from + 1);
    return child!;
  }, 60_000);

describe('hostile models', () => {
  it('that never end are stopped at the time limit, naming the stage', async () => {
    const { admit, workFolder } = await bench({ timeLimitMs: 4000 });
    const outcome = await admit({ 'model.onnx': endless });
    expect(outcome.passed).toBe(false);
    // On a busy machine the process may not have come as far as the loop.
    expect(outcome.rejection).toMatch(/^(start|load|warm-up): it did not end within 4 s and was stopped$/);
    expect(outcome.report.checks.map((check) => check.passed)).toEqual([
      ...outcome.report.checks.slice(1).map(() => true),
      false,
    ]);
    expect(children()).toEqual([]);
    expect(await readdir(workFolder)).toEqual([]);
  });

  it('that eat memory are stopped at the memory limit', async () => {
    const { admit } = await bench({ memoryLimitBytes: 512 * 1024 ** 2 });
    const outcome = await admit({ 'model.onnx': hungry(2n ** 30n) });
    expect(outcome.passed).toBe(false);
    expect(outcome.rejection).toMatch(
      /^(load|warm-up): it used \d+ MiB of memory, more than the 512 MiB that admission allows$/,
    );
    expect(outcome.report.peakRssBytes).toBeGreaterThan(512 * 1024 ** 2);
  });

  it('that ask for more memory than there is are rejected', async () => {
    const { admit } = await bench();
    const outcome = await admit({ 'model.onnx': hungry(2n ** 50n) });
    expect(outcome.passed).toBe(false);
    expect(outcome.rejection).toMatch(/^(load|warm-up): /);
  });

  it('that crash the process are rejected, with what was learnt before', async () => {
    const { admit } = await bench();
    const lines: string[] = [];
    const outcome = admit({ 'model.onnx': endless }, { onProgress: (line: string) => lines.push(line) });
    // The start alone takes a second on a slow machine.
    await eventually(() => expect(lines.at(-1)).toMatch(/^load: ok/), 60_000);
    const { pid } = await busyChild(undefined, children()[0]!.cpu);
    process.kill(pid, 'SIGSEGV');
    expect(await outcome).toMatchObject({
      passed: false,
      rejection: 'warm-up: it crashed its process, which was ended by SIGSEGV',
      report: { checks: [{ name: 'parse' }, { name: 'load', passed: true }, { name: 'warm-up', passed: false }] },
    });
  });

  // The processor of x64 traps on this division, and the runtime does not look for it.
  it.runIf(process.arch === 'x64')('that crash ONNX Runtime for real only end themselves', async () => {
    const { admit } = await bench();
    const divide = model({
      graph: graph({
        nodes: [node('Div', ['lowest', 'x'], ['y'])],
        inputs: [value('x', 'INT32', ['batch', 3])],
        outputs: [value('y', 'INT32', ['batch', 3])],
        initializers: [tensor('lowest', 'INT32', [1], [-(2 ** 31)])],
      }),
    });
    const yaml = 'signature: {inputs: [{name: x, range: [-1, -1]}]}';
    const outcome = await admit({ 'model.onnx': divide, 'sluice.yaml': yaml });
    expect(outcome.passed).toBe(false);
    expect(outcome.rejection).toMatch(/^warm-up: it crashed its process, which was ended by SIGFPE/);
  });
});

describe('mutated models', () => {
  it('are refused, rejected or pass, and this process lives', async () => {
    const { inspect, admission } = await bench({ timeLimitMs: 20_000 });
    const whole = await readFile(join(examples, 'digits', 'mlp', 'mlp.onnx'));
    // Where the graph is, not the weights: before them and behind.
    const place = fc.oneof(fc.nat(700), fc.integer({ min: whole.length - 300, max: whole.length - 1 }));
    const flips = fc.array(fc.record({ at: place, mask: fc.integer({ min: 1, max: 255 }) }), {
      minLength: 1,
      maxLength: 3,
    });
    const kinds = { refused: 0, rejected: 0, passed: 0 };
    await fc.assert(
      fc.asyncProperty(flips, async (chosen) => {
        const bytes = Buffer.from(whole);
        for (const { at, mask } of chosen) bytes[at]! ^= mask;
        let inspected;
        try {
          inspected = await inspect({ 'model.onnx': bytes });
        } catch (error) {
          expect(error).toMatchObject({ kind: 'invalid-argument' });
          kinds.refused += 1;
          return;
        }
        const outcome = await admission.admit(inspected);
        expect(outcome.passed).toBe(outcome.rejection === '');
        kinds[outcome.passed ? 'passed' : 'rejected'] += 1;
      }),
      { ...propertyRuns, numRuns: Math.ceil(propertyRuns.numRuns / 50) },
    );
    console.log(`mutated models: ${JSON.stringify(kinds)}`);
    expect(children()).toEqual([]);
  });
});

describe('the process of an admission', () => {
  it('has nothing of the registry in its environment but where compiled programs are, and tells nobody what it loads', async () => {
    const { admit } = await bench();
    const outcome = admit({ 'model.onnx': endless });
    const { pid } = await busyChild();
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
    const entries = environment.split('\0').filter((entry) => !/^$|^NODE_CHANNEL_|^NODE_COMPILE_CACHE=/.test(entry));
    expect(entries).toEqual(['ORT_DISABLE_TELEMETRY=1']);
    process.kill(pid, 'SIGKILL');
    await outcome;
  });

  it('ends itself when the registry is killed, even in the middle of a native call', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'model.onnx'), endless);
    const host = spawn(
      process.execPath,
      ['--conditions=@sluice/source', join(import.meta.dirname, 'admission-host.ts'), folder],
      { stdio: 'ignore' },
    );
    const { pid } = await busyChild(host.pid);
    host.kill('SIGKILL');
    await eventually(() => expect(admissionProcesses().map((one) => one.pid)).not.toContain(pid));
  });

  it('ends when the admission is cancelled, or closed', async () => {
    const { admit, admission } = await bench();
    const stop = new AbortController();
    const cancelled = admit({ 'model.onnx': endless }, { signal: stop.signal });
    await eventually(() => expect(children()).toHaveLength(1));
    stop.abort();
    await expect(cancelled).rejects.toMatchObject({ kind: 'cancelled' });
    expect(children()).toEqual([]);
    const closed = admit({ 'model.onnx': endless });
    const waiting = admit({ 'model.onnx': identityModel('FP32') });
    const ends = Promise.allSettled([closed, waiting]);
    await eventually(() => expect(children()).toHaveLength(1));
    await admission.close();
    const kinds = (await ends).map((end) => end.status === 'rejected' && (end.reason as { kind: string }).kind);
    expect(kinds).toEqual(['cancelled', 'unavailable']);
    expect(children()).toEqual([]);
  });

  it('is one at a time unless told otherwise', async () => {
    const { admit } = await bench({ maxConcurrent: 1 });
    const lines: string[] = [];
    let most = 0;
    const count = () => (most = Math.max(most, children().length));
    const one = admit({ 'model.onnx': identityModel('FP32') }, { onProgress: count });
    const two = admit({ 'model.onnx': identityModel('FP64') }, { onProgress: (line) => lines.push(line) });
    const three = admit({ 'model.onnx': identityModel('INT8') }, { onProgress: count });
    expect((await Promise.all([one, two, three])).every((outcome) => outcome.passed)).toBe(true);
    expect(most).toBe(1);
  });
});
