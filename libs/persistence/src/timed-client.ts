import pg from 'pg';

/** How `pg` names a query that got no answer within `query_timeout`. */
const noAnswer = 'Query read timeout';

/** True when the server did not answer in time, as far as this process could see. */
export const isNoAnswer = (error: unknown): boolean => error instanceof Error && error.message === noAnswer;

/**
 * A connection that ends with the first query that got no answer within `query_timeout`. A server that vanished without
 * a word leaves its connections open for many minutes, and `pg` would hand them to the next caller; an answer that comes
 * late after all would be taken for that of the next query.
 */
export class TimedClient extends pg.Client {
  constructor(config?: string | pg.ClientConfig) {
    super(config);
    // The pool stops listening when it hands a connection out, and TypeORM begins a moment later. A server that dies in
    // between, as in the packet that says that the connection is ready, would end the process. Whoever uses the connection is told by its queries.
    this.on('error', () => undefined);
    const send = this.query.bind(this) as (...query: unknown[]) => unknown;
    const timed = (...query: unknown[]): unknown => {
      const answer = send(...query);
      if (answer instanceof Promise) answer.catch((error: unknown) => this.#failed(error));
      return answer;
    };
    this.query = timed as typeof this.query;
  }

  #failed(error: unknown): void {
    if (isNoAnswer(error)) this.connection.stream.destroy(error as Error);
  }
}
