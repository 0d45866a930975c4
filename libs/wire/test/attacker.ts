import type { Socket } from 'node:net';
import { Attacker as AnyAttacker } from '../testing/attacker.ts';
import { grpcJsClient, later, sleep, unary } from './interop/echo.ts';

export { callBlock, callHeaders, message } from '../testing/attacker.ts';

/** One that is gone when its test is over. */
export class Attacker extends AnyAttacker {
  constructor(socket: Socket, keeps: boolean) {
    super(socket, keeps);
    later(() => this.stop());
  }
}

/** An honest client beside an attack: small and large calls, one after the other, each with a deadline of half a minute. */
export class Bystander {
  readonly errors: string[] = [];
  calls = 0;
  readonly #done: Promise<void>;
  #stopped = false;

  constructor(address: string) {
    this.#done = this.#run(address);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#done;
  }

  async #run(address: string): Promise<void> {
    const client = grpcJsClient(address);
    while (!this.#stopped) {
      const request = Buffer.alloc(this.calls % 5 === 4 ? 200_000 : 200, 'b');
      const { value, error } = await unary(client, request, { timeoutMs: 30_000 });
      this.calls++;
      if (error !== undefined) this.errors.push(error.message);
      else if (!value!.equals(request)) this.errors.push('another answer');
      await sleep(5);
    }
  }
}
