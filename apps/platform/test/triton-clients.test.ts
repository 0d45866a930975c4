import { readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { env } from 'node:process';
import { inferenceService } from '@sluice/contracts/services';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningPlatform, freeOffset, killStarted, makeHome } from './running-platform.ts';
import { loadParameters, simpleStringDynaSequence, tritonModels } from './triton-models.ts';
import type { TritonModel } from './triton-models.ts';
import { TritonPython, noTritonClient } from './triton-python.ts';
import type { TritonSources } from './triton-python.ts';

const sources = { client: env['SLUICE_TRITON_CLIENT'], common: env['SLUICE_TRITON_COMMON'] };
const missing = noTritonClient(sources);
if (missing !== undefined) console.info(`The examples of Triton’s client are not run: ${missing}.`);

let home: string;
let platform: RunningPlatform;
let triton: TritonPython;
let address: string;

beforeAll(async () => {
  if (missing !== undefined) return;
  home = await makeHome('sluice-triton-clients-');
  triton = await TritonPython.prepare(sources as TritonSources, path.join(home, 'triton'));
  platform = new RunningPlatform({ home, offset: await freeOffset(), args: ['--no-examples'] });
  await platform.up();
  address = `127.0.0.1:${platform.ports.router.port}`;
  await load(tritonModels);
  await writeFile(path.join(home, 'image.ppm'), redImage(32));
});
afterAll(async () => {
  if (missing !== undefined) return;
  await platform.stop();
  await killStarted();
  await rm(home, { recursive: true, force: true });
});

async function load(models: readonly TritonModel[]): Promise<void> {
  const client = createRpcClient(inferenceService, address, { clock: systemClock });
  for (const model of models) {
    await client.repositoryModelLoad({ modelName: model.name, parameters: loadParameters(model) });
  }
  client.close();
}

/** A square picture, in the plainest of formats. */
function redImage(size: number): Buffer {
  const pixels = Array.from({ length: size * size }, () => [200, 40, 10]).flat();
  return Buffer.concat([Buffer.from(`P6 ${size} ${size} 255\n`), Buffer.from(pixels)]);
}

interface Example {
  readonly file: string;
  readonly args?: () => readonly string[];
  /** What it prints when all that it looks at was right. */
  readonly prints: string;
}

const image = (model: string, ...more: string[]): Example => ({
  file: 'grpc_image_client.py',
  args: () => ['-m', model, '-c', '3', '-s', 'INCEPTION', ...more, path.join(home, 'image.ppm')],
  prints: 'PASS',
});

/** Each as it is, with no other argument than the address. The last leaves another version of `simple` behind. */
const examples: readonly Example[] = [
  // It says nothing when all is well.
  { file: 'simple_grpc_health_metadata.py', prints: 'name: "triton"' },
  { file: 'simple_grpc_infer_client.py', prints: 'PASS: infer' },
  { file: 'simple_grpc_infer_client.py', args: () => ['-C', 'gzip'], prints: 'PASS: infer' },
  { file: 'simple_grpc_async_infer_client.py', prints: 'PASS: Async infer' },
  { file: 'simple_grpc_aio_infer_client.py', prints: 'PASS: grpc aio infer' },
  { file: 'simple_grpc_keepalive_client.py', prints: 'PASS: KeepAlive' },
  { file: 'simple_grpc_custom_args_client.py', prints: 'PASS: CustomArgs' },
  { file: 'grpc_client.py', prints: 'PASS' },
  { file: 'grpc_explicit_int_content_client.py', prints: 'PASS: explicit int' },
  { file: 'grpc_explicit_int8_content_client.py', prints: 'PASS: explicit int8' },
  { file: 'grpc_explicit_byte_content_client.py', prints: 'PASS: explicit string' },
  image('densenet_onnx'),
  image('inception_onnx', '-b', '4'),
  image('inception_onnx', '-b', '4', '--async'),
  image('inception_onnx', '-b', '4', '--streaming'),
  { file: 'simple_grpc_model_control.py', prints: 'PASS: model control' },
];

/** Two sequences with numbers for ids and one with a text; the expected values are the examples' own. */
const sequences: readonly Example[] = [
  { file: 'simple_grpc_sequence_sync_infer_client.py', prints: 'PASS: Sequence' },
  { file: 'simple_grpc_sequence_stream_infer_client.py', prints: 'PASS: Sequence' },
  { file: 'simple_grpc_aio_sequence_stream_infer_client.py', prints: 'PASS: grpc aio sequence stream' },
];

/** Of what Sluice does not have, or that is no client of gRPC. */
const left: Readonly<Record<string, string>> = {
  'simple_grpc_shm_client.py': 'shared memory',
  'simple_grpc_shm_string_client.py': 'shared memory',
  'simple_grpc_cudashm_client.py': 'shared memory',
  'reuse_infer_objects_client.py': 'shared memory',
  'simple_grpc_custom_repeat.py': 'decoupled models',
  'simple_grpc_string_infer_client.py': 'texts with NUL bytes; see above',
};

describe.skipIf(missing !== undefined)('the examples of Triton’s Python client', { timeout: 60_000 }, () => {
  const passes = async ({ file, args, prints }: Example, ...more: readonly string[]) => {
    const { code, text } = await triton.run(file, ['-u', address, ...(args?.() ?? []), ...more]);
    expect(text).toContain(prints);
    expect(code).toBe(0);
  };

  it.each(examples)('$file runs unchanged', async (example) => passes(example));

  describe('of sequences', () => {
    beforeAll(async () => load([simpleStringDynaSequence()]));

    it.each(sequences)('$file runs unchanged', async (example) => passes(example));
    it.each(sequences)('$file runs unchanged with ids that reach the model', async (example) =>
      passes(example, '--dyna'),
    );
  });

  it('simple_grpc_string_infer_client.py runs up to the texts with a NUL byte', async () => {
    const { code, text } = await triton.run('simple_grpc_string_infer_client.py', ['-u', address]);
    expect(text).toContain("b'15' - b'1' = b'14'");
    // ONNX Runtime's binding for Node would cut them, so they are refused.
    expect(text).toContain('element 0 contains a NUL byte, which the runtime cannot carry');
    expect(code).toBe(1);
  });

  it('are all those that speak gRPC, but for what Sluice does not have', async () => {
    const files = (await readdir(path.join(sources.client!, 'src', 'python', 'examples'))).filter((name) =>
      /grpc.*\.py$|^reuse_/.test(name),
    );
    const known = new Set([...[...examples, ...sequences].map(({ file }) => file), ...Object.keys(left)]);
    expect(files.filter((file) => !known.has(file))).toEqual([]);
  });
});
