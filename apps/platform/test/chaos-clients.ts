import { inferenceService } from '@sluice/contracts/services';
import type { ModelStreamInferResponse__Output } from '@sluice/contracts/gen/inference/ModelStreamInferResponse';
import { RpcError } from '@sluice/client/errors';
import { createOipClient } from '@sluice/client/oip-client';
import type { OipClient } from '@sluice/client/oip-client';
import { eventually } from '@sluice/testkit/eventually';
import { openGrpcStream } from '@sluice/testkit/grpc-stream';
import type { GrpcStream } from '@sluice/testkit/grpc-stream';

const inputs = 16;
const pixels = (which: number): Float32Array => Float32Array.from({ length: 64 }, (_, at) => (at * (which + 3)) % 17);
const patientMs = 15_000;

/** Where chance comes from. */
export interface Uniform {
  uniform(): number;
}

/** How a request ended, as its client saw it. */
type Ended = 'answered' | 'cancelled' | 'late';

/** What many clients saw. */
export class Seen {
  readonly ended: Record<Ended, number> = { answered: 0, cancelled: 0, late: 0 };
  /** Of answers. */
  readonly predictionIds = new Set<string>();
  /** What must not be: wrong, double, unasked, failed. */
  readonly wrongs: string[] = [];
  sent = 0;
  /** Output bytes by input, of answers that nothing disturbed. */
  readonly #right: string[] = [];

  get all(): number {
    return this.ended.answered + this.ended.cancelled + this.ended.late;
  }

  /** Asks for every input once, before anything is disturbed. */
  async learn(client: OipClient): Promise<void> {
    for (let which = 0; which < inputs; which++) {
      const { outputs } = await client.infer({ model: 'digits', version: '1', inputs: [tensor(which)] });
      this.#right[which] = JSON.stringify(outputs.map(({ name, values }) => [name, [...values].map(String)]));
    }
  }

  answered(which: number, predictionId: string, outputs: readonly (readonly [string, readonly string[]])[]): void {
    this.ended.answered++;
    if (JSON.stringify(outputs) !== this.#right[which]) this.wrongs.push(`input ${which}: another answer`);
    if (this.predictionIds.has(predictionId)) this.wrongs.push(`two answers are prediction ${predictionId}`);
    this.predictionIds.add(predictionId);
  }
}

const tensor = (which: number) => ({ name: 'pixels', datatype: 'FP32' as const, shape: [1, 64], data: pixels(which) });

/** A client that sends one request after the other; a tenth is cancelled, a tenth has hardly any time. */
export async function unaryClient(address: string, seen: Seen, random: Uniform, goesOn: () => boolean): Promise<void> {
  const client = createOipClient(address, { retryForMs: 0, timeoutMs: patientMs });
  try {
    while (goesOn()) {
      const which = Math.floor(random.uniform() * inputs);
      const fate = random.uniform();
      const signal = fate < 0.1 ? AbortSignal.timeout(Math.floor(random.uniform() * 20)) : undefined;
      const isHurried = fate >= 0.1 && fate < 0.2;
      const timeoutMs = isHurried ? 1 + Math.floor(random.uniform() * 30) : patientMs;
      seen.sent++;
      try {
        const request = { model: 'digits', version: '1', inputs: [tensor(which)] };
        const answer = await client.infer(request, { timeoutMs, ...(signal && { signal }) });
        const values = answer.outputs.map(({ name, values: each }) => [name, [...each].map(String)] as const);
        seen.answered(which, answer.predictionId, values);
      } catch (error) {
        const kind = error instanceof RpcError ? error.kind : 'unknown';
        if (kind === 'cancelled' && signal?.aborted) seen.ended.cancelled++;
        else if (kind === 'deadline-exceeded' && isHurried) seen.ended.late++;
        else seen.wrongs.push(`${kind}: ${String(error)}`);
      }
    }
  } finally {
    client.close();
  }
}

const stream = inferenceService.definition['ModelStreamInfer']!;

/** A client with several requests in flight on one stream. Each has an id of its own: a second answer to it would show. */
export class StreamClient {
  readonly #stream: GrpcStream;
  readonly #seen: Seen;
  readonly #random: Uniform;
  readonly #name: string;
  readonly #open = new Map<string, number>();
  #count = 0;
  #read = 0;

  constructor(address: string, name: string, seen: Seen, random: Uniform) {
    this.#stream = openGrpcStream(address, '/inference.GRPCInferenceService/ModelStreamInfer');
    this.#name = name;
    this.#seen = seen;
    this.#random = random;
  }

  /** Keeps `inFlight` requests open while `goesOn`; resolves when all of them were answered. */
  async run(inFlight: number, goesOn: () => boolean): Promise<void> {
    while (goesOn() || this.#open.size > 0) {
      while (goesOn() && this.#open.size < inFlight) this.#send();
      const before = this.#read;
      await eventually(
        () => {
          this.#take();
          if (this.#read === before && this.#open.size > 0) throw new Error(`${this.#name}: no answer`);
        },
        patientMs,
        2,
      );
    }
    this.#stream.halfClose();
    const { code, message } = await this.#stream.end;
    this.#take();
    if (code !== 0) this.#seen.wrongs.push(`${this.#name} ended with status ${code}: ${message}`);
  }

  close(): void {
    this.#stream.close();
  }

  #send(): void {
    const id = `${this.#name}-${this.#count++}`;
    const which = Math.floor(this.#random.uniform() * inputs);
    this.#open.set(id, which);
    this.#seen.sent++;
    const raw = Buffer.from(pixels(which).buffer);
    const input = { name: 'pixels', datatype: 'FP32', shape: ['1', '64'] };
    const request = { modelName: 'digits', modelVersion: '1', id, inputs: [input], rawInputContents: [raw] };
    this.#stream.send(stream.requestSerialize(request));
  }

  #take(): void {
    for (; this.#read < this.#stream.messages.length; this.#read++) {
      const message = this.#stream.messages[this.#read]!;
      const { errorMessage, inferResponse } = stream.responseDeserialize(message) as ModelStreamInferResponse__Output;
      const id = inferResponse?.id ?? '';
      const which = this.#open.get(id);
      this.#open.delete(id);
      if (which === undefined) this.#seen.wrongs.push(`${this.#name}: an answer to ${id}, which waits for none`);
      else if (errorMessage !== '') this.#seen.wrongs.push(`${this.#name}: ${id}: ${errorMessage}`);
      else {
        const values = inferResponse!.outputs.map(({ name }, at) => [name, valuesOf(inferResponse!, at)] as const);
        this.#seen.answered(which, inferResponse!.parameters['prediction_id']?.stringParam ?? '', values);
      }
    }
  }
}

function valuesOf(response: NonNullable<ModelStreamInferResponse__Output['inferResponse']>, at: number): string[] {
  const bytes = Buffer.from(response.rawOutputContents[at]!);
  const { datatype } = response.outputs[at]!;
  if (datatype === 'FP32') return Array.from({ length: bytes.length / 4 }, (_, i) => String(bytes.readFloatLE(4 * i)));
  return Array.from({ length: bytes.length / 8 }, (_, i) => String(bytes.readBigInt64LE(8 * i)));
}
