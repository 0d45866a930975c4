import { subscribeService } from '@sluice/contracts/services';
import type { ResponseOutput, SubscribeServiceMethods } from '@sluice/contracts/services';
import type { RpcClient } from '@sluice/rpc/client';
import { createRpcClient } from '@sluice/rpc/client';
import { systemClock } from '@sluice/service-kit/clock';

export type Message = ResponseOutput<SubscribeServiceMethods['subscribe']>;
export type Wanted = Parameters<RpcClient<SubscribeServiceMethods>['subscribe']>[0];

/** What a row says of itself in the fewest words. */
export function nameOf(row: Message['rows'][number]): string {
  if (row.evidence) return `${row.evidence.predictionId} ${row.evidence.arm} ${row.evidence.attempt}`;
  return `${row.row} ${(row.label ?? row.outcome)!.labelId}`;
}

/** One subscriber, a message at a time. */
export class Subscriber {
  /** Of all messages so far. */
  readonly rows: Message['rows'] = [];
  cursor = '';
  last: Message | undefined;
  readonly #client: RpcClient<SubscribeServiceMethods>;
  readonly #messages: AsyncIterator<Message>;
  readonly #end = new AbortController();

  constructor(address: string, wanted: Wanted = { begin: 'SUBSCRIBE_BEGIN_OLDEST' }) {
    this.#client = createRpcClient(subscribeService, address, { clock: systemClock });
    const { signal } = this.#end;
    this.#messages = this.#client.subscribe({ heartbeatMs: 100, ...wanted }, { signal })[Symbol.asyncIterator]();
  }

  get names(): string[] {
    return this.rows.map(nameOf);
  }

  /** The next message. Throws what the stream ends with. */
  async next(): Promise<Message> {
    const next = await this.#messages.next();
    if (next.done === true) throw new Error('the stream ended');
    const { value } = next;
    this.last = value;
    this.cursor = value.cursor;
    this.rows.push(...value.rows);
    return value;
  }

  /** Reads until there are `count` rows, and throws for more. */
  async until(count: number): Promise<this> {
    while (this.rows.length < count) await this.next();
    if (this.rows.length > count) throw new Error(`${this.rows.length} rows came in place of ${count}`);
    return this;
  }

  /** Reads until a message that says that nothing is left. */
  async settle(): Promise<this> {
    let message = await this.next();
    while (message.more || message.rows.length > 0) message = await this.next();
    return this;
  }

  close(): void {
    this.#end.abort();
    this.#client.close();
  }
}
