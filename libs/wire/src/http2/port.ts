/** What a connection stands on: a socket. */
export interface ConnectionPort {
  /** Sends these, and calls `Connection.sent` when that is done; not called again before. */
  send(pieces: readonly Buffer[]): void;
  /** Reads nothing more until `resume`. */
  pause(): void;
  resume(): void;
  /** Ends this side when all that was given is sent. What still comes is read and dropped, for a moment. */
  end(): void;
  /** Gives up the socket after so long, unless it is ended before. */
  destroyAfter(ms: number): void;
}
