import { readInferResponse } from '@sluice/inference/infer-response';
import { createRawClient, type RawClient } from '@sluice/rpc/raw-client';
import type { Subject } from './subject.ts';
import { clientTls } from './tls-files.ts';
import type { Check } from './workloads.ts';

/** Why an answer is wrong; undefined when its bytes are those of ONNX Runtime itself. */
export function wrongAnswer(check: Check, message: Uint8Array): string | undefined {
  if (!check.expected) return check.message.equals(message) ? undefined : 'the echo is not what was sent';
  if (Buffer.isBuffer(check.expected))
    return check.expected.equals(message) ? undefined : `the answer is ${Buffer.from(message).toString('hex')}`;
  const { modelName, modelVersion, outputs } = readInferResponse(message);
  const { model, version, output: name, shape, answers } = check.expected;
  const output = outputs.find((each) => each.name === name);
  if (!output) return `the answer has no output ${name}`;
  const came = `${modelName} version ${modelVersion}: ${output.datatype} [${output.shape.join(',')}]`;
  const wanted = `${model} version ${version}: FP32 [${shape.join(',')}]`;
  if (came !== wanted) return `the answer is of ${came}, expected ${wanted}`;
  if (answers.some((own) => sameBytes(own, output.data))) return undefined;
  const own = answers[0]!;
  if (output.data.byteLength !== own.byteLength) {
    return `the answer has ${output.data.byteLength} bytes, ONNX Runtime's own ${own.byteLength}`;
  }
  const values = new Float32Array(new Uint8Array(output.data).buffer);
  const wrong = values.findIndex((value, index) => !Object.is(value, own[index]));
  return `value ${wrong} is ${values[wrong]}, ONNX Runtime's own is ${own[wrong]}`;
}

const sameBytes = (own: Float32Array, data: Uint8Array): boolean =>
  Buffer.from(own.buffer, own.byteOffset, own.byteLength).equals(data);

export interface CheckReport {
  readonly sent: number;
  /** The first few things that were wrong; empty is good. */
  readonly problems: readonly string[];
}

/** Sends varied requests beside the load, 20 a second, and compares every answer with what it must be. */
export class Checker {
  readonly #client: RawClient;
  readonly #path: string;
  readonly #checks: readonly Check[];
  readonly #problems: string[] = [];
  #sent = 0;
  #answered = 0;
  #open = 0;
  #timer: NodeJS.Timeout | undefined = undefined;
  #idle: (() => void) | undefined = undefined;

  constructor(subject: Pick<Subject, 'address' | 'path' | 'caFile'>, checks: readonly Check[]) {
    this.#client = createRawClient(subject.address, { tls: clientTls(subject.caFile) });
    this.#path = subject.path;
    this.#checks = checks;
  }

  /** How many were answered so far, rightly or not. */
  get answered(): number {
    return this.#answered;
  }

  start(everyMs = 50): void {
    this.#timer = setInterval(() => this.#send(), everyMs);
  }

  /** Stops sending and waits for what is open. */
  async stop(): Promise<CheckReport> {
    clearInterval(this.#timer);
    if (this.#open > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    this.#client.close();
    return { sent: this.#sent, problems: this.#problems.slice(0, 5) };
  }

  /** Sends each check once, one after the other: is the server there and right at all? */
  async once(): Promise<string | undefined> {
    for (const check of this.#checks) {
      const problem = await new Promise<string | undefined>((resolve) => this.#call(check, resolve));
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  #send(): void {
    const check = this.#checks[this.#sent++ % this.#checks.length]!;
    this.#open++;
    this.#call(check, (problem) => {
      if (problem !== undefined) this.#problems.push(problem);
      this.#open--;
      this.#answered++;
      if (this.#open === 0) this.#idle?.();
    });
  }

  #call(check: Check, done: (problem: string | undefined) => void): void {
    this.#client.call(this.#path, check.message, { deadlineMs: Date.now() + 60_000 }, ({ error, message }) => {
      try {
        done(
          error || !message ? `status ${error?.kind ?? 'none'}: ${error?.message ?? ''}` : wrongAnswer(check, message),
        );
      } catch (thrown) {
        done(String(thrown));
      }
    });
  }
}
