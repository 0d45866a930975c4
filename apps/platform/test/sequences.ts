import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { digestFile } from '@sluice/client/files';
import { createOipClient } from '@sluice/client/oip-client';
import type { OipClient } from '@sluice/client/oip-client';
import { RpcError } from '@sluice/client/errors';
import type { RegistryClient } from '@sluice/client/registry-client';
import { graph, model, node, value } from '@sluice/testkit/onnx-builder';

/** Its output is the sum of the inputs of its sequence. */
const accumulator = model({
  graph: graph({
    nodes: [node('Add', ['x', 'sum'], ['y']), node('Identity', ['y'], ['next'])],
    inputs: ['x', 'sum'].map((name) => value(name, 'FP32', ['batch', 1])),
    outputs: ['y', 'next'].map((name) => value(name, 'FP32', ['batch', 1])),
  }),
});

const manifest = (note: number): string => `description: push ${note}
batching: { max_batch_size: 32 }
sequence_batching:
  max_sequence_idle_microseconds: 60000000
  state:
    - { input_name: sum, output_name: next, data_type: FP32, dims: [1] }
`;

/** Writes the files of a model that keeps sequences to a folder. @returns their names */
export async function writeAccumulator(folder: string, note: number): Promise<string[]> {
  await writeFile(path.join(folder, 'model.onnx'), accumulator);
  await writeFile(path.join(folder, 'sluice.yaml'), manifest(note));
  return ['model.onnx', 'sluice.yaml'];
}

/** Pushes a model that keeps sequences as a new version of `accumulator`. @returns its number */
export async function pushAccumulator(client: RegistryClient, home: string, note: number): Promise<number> {
  if (note === 1) await client.registry.createModel({ name: 'accumulator' });
  const files: { path: string; sha256: string; size: number }[] = [];
  for (const name of await writeAccumulator(home, note)) {
    const at = path.join(home, name);
    await client.uploadFile(at);
    files.push({ path: name, ...(await digestFile(at)) });
  }
  const call = client.registry.createVersion({ model: 'accumulator', files, graphPath: 'model.onnx' });
  for await (const { version } of call)
    if (version !== null) {
      if (version.state !== 'VERSION_STATE_READY') throw new Error(`it was refused: ${version.rejection}`);
      return Number(version.number);
    }
  throw new Error('no version came');
}

/** Asks one router for the next step of sequences of `accumulator`, each of which adds 1. */
export class SequenceClient {
  readonly #client: OipClient;

  constructor(address: string) {
    this.#client = createOipClient(address, { timeoutMs: 10_000, retryForMs: 0 });
  }

  /** @returns the sum and the version that answered, or how it failed */
  async step(id: number, mark?: 'start' | 'end'): Promise<string> {
    try {
      const answer = await this.#client.infer({
        model: 'accumulator',
        version: 'live',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [1] }],
        parameters: { sequence_id: id, sequence_start: mark === 'start', sequence_end: mark === 'end' },
      });
      return `${String(answer.output('y').values[0])} of version ${answer.version}`;
    } catch (error) {
      if (error instanceof RpcError) return `${error.kind}: ${error.message}`;
      throw error;
    }
  }

  /** The same, for a sequence that is there, or will be found. @throws Error when it was not sent to it */
  async found(id: number): Promise<string> {
    const outcome = await this.step(id);
    if (/^(unavailable|failed-precondition)/.test(outcome)) throw new Error(outcome);
    return outcome;
  }

  close(): void {
    this.#client.close();
  }
}
