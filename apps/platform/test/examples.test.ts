import { execFileSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { env } from 'node:process';
import { createOipClient } from '@sluice/client/oip-client';
import type { OipClient } from '@sluice/client/oip-client';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evidenceJourney } from './evidence-journey.ts';
import { evidenceExample } from './evidence-example.ts';
import { RunningPlatform, freeOffset, killStarted, makeHome, root, shell } from './running-platform.ts';
import { sequenceJourney } from './sequence-journey.ts';

const models = path.join(root, 'examples', 'models');
let home: string;
let platform: RunningPlatform;
let client: OipClient;
let address: string;

interface Table {
  readonly rows: readonly (readonly number[])[];
  readonly labels: readonly string[];
}

async function readTable(file: string): Promise<Table> {
  const [, ...lines] = (await readFile(path.join(models, file), 'utf8')).trim().split('\n');
  const cells = lines.map((line) => line.split(','));
  return { rows: cells.map((row) => row.slice(0, -1).map(Number)), labels: cells.map((row) => row.at(-1)!) };
}

const digitOf = (scores: ArrayLike<number>): string => {
  const list = Array.from(scores);
  return String(list.indexOf(Math.max(...list)));
};

/** Runs `work` over all items, at most `limit` at a time. */
async function concurrently<T, R>(items: readonly T[], limit: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]!);
  };
  await Promise.all(Array.from({ length: limit }, worker));
  return results;
}

async function infer(version: string, rows: readonly (readonly number[])[]): Promise<Float32Array> {
  const data = Float32Array.from(rows.flat());
  const inputs = [{ name: 'pixels', datatype: 'FP32' as const, shape: [rows.length, 64], data }];
  const answer = await client.infer({ model: 'digits', version, inputs });
  return Float32Array.from(answer.output('probabilities').values as ArrayLike<number>);
}

beforeAll(async () => {
  home = await makeHome('sluice-examples-');
  platform = new RunningPlatform({ home, offset: await freeOffset() });
  await platform.up();
  address = `127.0.0.1:${platform.ports.router.port}`;
  client = createOipClient(address);
});
afterAll(async () => {
  client.close();
  await platform.stop();
  await killStarted();
  await rm(home, { recursive: true, force: true });
});

describe('the holdout digits through the router', { timeout: 120_000 }, () => {
  it.for([
    ['cnn', 586],
    ['mlp', 574],
  ] as const)('%s: %i right, one by one and in batches, equal to ONNX Runtime', async ([alias, right]) => {
    const { rows, labels } = await readTable('digits/holdout.csv');
    expect(rows).toHaveLength(597);
    const singly = await concurrently(rows, 32, async (row) => infer(alias, [row]));
    const starts = Array.from({ length: Math.ceil(rows.length / 50) }, (_, index) => index * 50);
    const batches = await concurrently(starts, 4, async (start) => infer(alias, rows.slice(start, start + 50)));
    const batched = batches.flatMap((scores) =>
      Array.from({ length: scores.length / 10 }, (_, row) => scores.subarray(10 * row, 10 * row + 10)),
    );
    for (const scores of [singly, batched])
      expect(scores.filter((each, row) => digitOf(each) === labels[row])).toHaveLength(right);

    const session = await InferenceSession.create(path.join(models, 'digits', `${alias}.onnx`));
    const own = await session.run({ pixels: new Tensor('float32', Float32Array.from(rows.flat()), [597, 64]) });
    const expected = own['probabilities']!.data as Float32Array;
    for (const scores of [singly, batched]) {
      const flat = Float32Array.from(scores.flatMap((each) => [...each]));
      const apart = flat.reduce((most, value, index) => Math.max(most, Math.abs(value - expected[index]!)), 0);
      expect(apart).toBeLessThan(1e-6);
    }
    await session.release();
  });

  it('wdbc/forest: 157 of 169, with labels of text', async () => {
    const { rows, labels } = await readTable('wdbc/holdout.csv');
    const answer = await client.infer({
      model: 'wdbc',
      version: 'forest',
      inputs: [{ name: 'features', datatype: 'FP32', shape: [169, 30], data: Float32Array.from(rows.flat()) }],
    });
    const said = Array.from(answer.output('label').values as ArrayLike<unknown>, String);
    expect(new Set(said)).toEqual(new Set(['malignant', 'benign']));
    expect(said.filter((label, row) => label === labels[row])).toHaveLength(157);
  });
});

/** What every service counts, whatever it does. */
const commonMetrics = [
  'sluice_requests_total',
  'sluice_request_failures_total',
  'sluice_request_duration_seconds',
  'sluice_requests_in_flight',
  'sluice_queue_length',
  'sluice_dependency_up',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_eventloop_lag_p99_seconds',
];

describe('metrics', () => {
  it.each(['router', 'registry', 'feedback', 'runtime-1', 'runtime-2'])(
    'of the %s have what every service counts',
    async (name) => {
      const { ports } = platform;
      const own = {
        router: ports.router,
        registry: ports.registry,
        feedback: ports.feedback,
        'runtime-1': ports.runtimes[0]!,
        'runtime-2': ports.runtimes[1]!,
      };
      const { metricsPort } = own[name as keyof typeof own];
      const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
      const found = new Set(text.split('\n').map((line) => /^# TYPE (\w+)/.exec(line)?.[1]));
      expect(commonMetrics.filter((metric) => !found.has(metric))).toEqual([]);
      expect(text).toMatch(/^sluice_queue_length\{[^}]*\} \d+$/m);
      expect(text).toMatch(/^sluice_dependency_up\{[^}]*\} 1$/m);
    },
  );
});

describe('example clients', { timeout: 120_000 }, () => {
  it('in TypeScript', async () => {
    const main = path.join(root, 'examples', 'clients', 'typescript', 'src', 'main.ts');
    const said = await shell(`node --conditions=@sluice/source ${main} ${address}`, root);
    expect(said).toMatch(/^586 of 597 right, by digits version 3; the last answer was [0-9a-f-]{36}\n$/);
  });

  it('in Python, on the C core of gRPC', async (context) => {
    try {
      execFileSync('/usr/bin/python3', ['-c', 'import grpc, google.protobuf'], { stdio: 'ignore' });
    } catch {
      context.skip('python3-grpcio and python3-protobuf are not installed');
    }
    const program = path.join(root, 'examples', 'clients', 'python', 'classify.py');
    const said = await shell(`/usr/bin/python3 -B ${program} ${address}`, root);
    expect(said).toMatch(/^586 of 597 right, by digits version 3; the last answer was [0-9a-f-]{36}\n$/);
  });

  it('in Python uses the protocol as it is in protos/', async () => {
    const file = path.join(home, 'inference.binpb');
    await shell(`npx buf build protos --path protos/inference -o ${file}`, root);
    const committed = await readFile(path.join(root, 'examples', 'clients', 'python', 'inference.binpb'));
    expect((await readFile(file)).equals(committed)).toBe(true);
  });
});

describe('the example of evidence', { timeout: 120_000 }, () => {
  evidenceExample(() => platform);
});

describe('the README', { timeout: 120_000 }, () => {
  it('has a first model in five minutes whose commands all work, in their order', async () => {
    const readme = await readFile(path.join(root, 'README.md'), 'utf8');
    const section = /## A first model in five minutes\n([\s\S]*?)\n## /.exec(readme)![1]!;
    const commands = section.split('\n').filter((line) => line.startsWith('npx '));
    expect(commands.length).toBeGreaterThan(7);
    const registry = `127.0.0.1:${platform.ports.registry.port}`;
    const feedback = `127.0.0.1:${platform.ports.feedback.port}`;
    const variables = { ...env, SLUICE_REGISTRY: registry, SLUICE_ROUTER: address, SLUICE_FEEDBACK: feedback };
    const said: string[] = [];
    for (const command of commands) {
      // A benchmark of a moment, however busy the machine is, and nothing left in the clone.
      const brief = command.replace('--html mine.html', `--html ${path.join(home, 'mine.html')} --request-count 200`);
      said.push(await shell(`${brief.replace('127.0.0.1:8001', address)} 2>&1`, root, variables));
    }
    expect(said[0]).toContain('wdbc');
    expect(said.find((text) => text.includes('574 of 597 right'))).toBeDefined();
    expect(said.at(-1)).toContain('"pixels"');
  });
});

describe('a model with a state', { timeout: 120_000 }, () => {
  sequenceJourney(() => platform);
});

describe('evidence', { timeout: 120_000 }, () => {
  evidenceJourney(() => platform);
});
