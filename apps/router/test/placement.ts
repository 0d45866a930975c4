import { createHash } from 'node:crypto';
import { registryService } from '@sluice/contracts/services';
import type { WatchAssignmentsResponse } from '@sluice/contracts/gen/sluice/registry/v1/WatchAssignmentsResponse';
import type { Assignment } from '@sluice/contracts/gen/sluice/registry/v1/Assignment';
import { graph, model, node, value } from '@sluice/testkit/onnx-builder';
import type { RpcServer } from '@sluice/rpc/server';
import { unimplementedOf } from './runtime.ts';

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A model with a state: y is the sum of all x of its sequence. */
const accumulator = model({
  graph: graph({
    nodes: [node('Add', ['x', 'state'], ['y']), node('Identity', ['y'], ['next'])],
    inputs: ['x', 'state'].map((name) => value(name, 'FP32', ['batch', 2])),
    outputs: ['y', 'next'].map((name) => value(name, 'FP32', ['batch', 2])),
  }),
});

/** Which versions of `digits` real model-servers are to have, and their files. Those without a graph of their own keep sequences. */
export class Placement {
  #versions: readonly number[];
  readonly #graphs: Readonly<Record<number, Uint8Array>>;
  #revision = 1;
  readonly #wake = new Set<() => void>();

  /** @param graphs by version; each takes x and gives y, both FP32 [-1,2] */
  constructor(versions: readonly number[], graphs: Readonly<Record<number, Uint8Array>> = {}) {
    this.#versions = versions;
    this.#graphs = graphs;
  }

  place(versions: readonly number[]): void {
    this.#versions = versions;
    this.#revision++;
    for (const wake of this.#wake) wake();
  }

  /** Adds what model-servers ask of a registry beside the watch. */
  serveFiles(server: RpcServer): void {
    server.addService(registryService, {
      ...unimplementedOf(registryService),
      downloadArtifact: ({ sha256: digest, offset }) => this.#download(digest, Number(offset)),
    });
  }

  async *#download(digest: string, offset: number) {
    const all = [accumulator, ...Object.values(this.#graphs)];
    const file = all.find((each) => sha256(each) === digest)!;
    yield { chunk: Buffer.from(file.subarray(offset)) };
  }

  async *watch(signal: AbortSignal): AsyncGenerator<WatchAssignmentsResponse> {
    let seen = 0;
    while (!signal.aborted) {
      if (seen !== this.#revision) {
        seen = this.#revision;
        const assignments = this.#versions.map((version) => assignmentOf(version, this.#graphs[version]));
        yield { resumeToken: String(seen), snapshot: true, protocolVersion: 2, assignments };
        continue;
      }
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#wake.delete(wake);
          resolve();
        };
        this.#wake.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      });
    }
  }
}

const sequenceBatching = {
  maxSequenceIdleMicroseconds: 60_000_000,
  direct: {},
  controlInputs: [],
  states: [{ inputName: 'state', outputName: 'next', datatype: 'FP32', dims: [2], zeroData: true }],
};

function assignmentOf(version: number, own: Uint8Array | undefined): Assignment {
  const tensor = (name: string) => ({ name, datatype: 'FP32', shape: [-1, 2], dimNames: [], features: [] });
  const file = own ?? accumulator;
  const digest = sha256(file);
  return {
    model: 'digits',
    version: String(version),
    digest: sha256(Buffer.from(`${digest} m.onnx`)),
    files: [{ path: 'm.onnx', sha256: digest, size: String(file.byteLength) }],
    graphPath: 'm.onnx',
    signature: { inputs: [tensor('x')], outputs: [tensor('y')], batched: true },
    serving: {
      ...{ maxBatchSize: 32, device: 'cpu', warmupCount: 1, instanceCount: 1 },
      ...(own === undefined && { sequenceBatching }),
    },
    heldBy: [`alias:v${version}`],
  };
}
