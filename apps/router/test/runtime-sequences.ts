import type { RequestOutput, RuntimeServiceMethods } from '@sluice/contracts/services';
import { failedPrecondition } from '@sluice/domain/errors';
import type { InferRequest } from '@sluice/inference/infer-request';
import { sequenceOf } from '@sluice/inference/sequence';
import type { SequenceId } from '@sluice/inference/sequence';

type LocateRequest = RequestOutput<RuntimeServiceMethods['locateSequence']>;

/** The sequences of a test's runtime: each has the sum of its rows. */
export class RuntimeSequences {
  /** Every request of a sequence that arrived, by its id. */
  readonly arrived: string[] = [];
  /** Every sequence that was asked for. */
  readonly asked: string[] = [];
  /** What LocateSequence waits for before it answers. */
  beforeLocate: () => Promise<unknown> = () => Promise.resolve();
  readonly #runtime: string;
  readonly #sums = new Map<string, number[]>();

  constructor(runtime: string) {
    this.#runtime = runtime;
  }

  get live(): string[] {
    return [...this.#sums.keys()];
  }

  /** They have idled out. */
  clear(): void {
    this.#sums.clear();
  }

  /** @returns the bytes of the answer's tensor; undefined for a request of no sequence */
  take(request: InferRequest): Uint8Array | undefined {
    const mark = sequenceOf(request.parameters);
    if (mark === undefined) return undefined;
    this.arrived.push(request.id);
    const key = keyOf(request.modelName, Number(request.modelVersion), mark.id);
    if (mark.start) this.#sums.set(key, [0, 0]);
    const sums = this.#sums.get(key);
    if (!sums) throw failedPrecondition(`sequence lost: ${this.#runtime} does not know it; send sequence_start again`);
    const row = new Float32Array(Uint8Array.from(request.inputs[0]!.raw!).buffer);
    for (const [index, value] of row.entries()) sums[index % 2]! += value;
    if (mark.end) this.#sums.delete(key);
    // A large request has an answer of its size.
    return new Uint8Array(row.map((_, index) => sums[index % 2]!).buffer);
  }

  async locate({ model, number, text, version }: LocateRequest): Promise<{ known: boolean; version: string }> {
    const id = text ?? BigInt(number!);
    this.asked.push(`${model} ${typeof id} ${id.toString()} ${version}`);
    await this.beforeLocate();
    const versions = version === '0' ? [1, 2, 3, 4, 5] : [Number(version)];
    const found = versions.find((each) => this.#sums.has(keyOf(model, each, id)));
    return { known: found !== undefined, version: String(found ?? 0) };
  }
}

const keyOf = (model: string, version: number, id: SequenceId): string =>
  `${model}@${version} ${typeof id} ${id.toString()}`;
