import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

const python = '/usr/bin/python3';

/** How a call ended: gRPC's code, and the response in protobuf's JSON, without what is zero or empty. */
export interface ForeignAnswer {
  readonly code: string;
  readonly details: string;
  readonly response: Readonly<Record<string, unknown>>;
}

/** Why there is no such client on this machine; undefined when there is. */
export function noForeignClient(): string | undefined {
  try {
    execFileSync(python, ['-c', 'import grpc, google.protobuf'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'python3-grpcio and python3-protobuf are not installed';
  }
}

/** A client that is not ours, in a process of its own; one call at a time. */
export class ForeignClient {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(address: string) {
    const script = path.join(import.meta.dirname, 'foreign_client.py');
    this.#child = spawn(python, ['-B', script, address], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]() as AsyncIterator<string>;
  }

  async call(method: string, request: Readonly<Record<string, unknown>> = {}): Promise<ForeignAnswer> {
    this.#child.stdin!.write(`${JSON.stringify({ method, request })}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error('the foreign client ended');
    return JSON.parse(line.value) as ForeignAnswer;
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
