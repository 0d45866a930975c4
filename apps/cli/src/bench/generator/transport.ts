import type { Framed } from './frames.ts';

/** How a request ended. */
export interface Ending {
  /** `OK`, or the name of a gRPC status; failures of the connection have UNAVAILABLE. */
  readonly status: string;
  /** What the server said of a failure. */
  readonly message: string;
  /** When the first byte of the answer came, on the clock's monotonic scale; only with `OK`. */
  readonly firstByteMs: number;
  /** The connection is gone: sending at once again would only spin. */
  readonly lost: boolean;
}

/** A request on its way. */
export interface Flight {
  /** Called exactly once, never before `send` has returned. */
  ended(ending: Ending): void;
}

/** Sends requests; knows nothing of when and why. */
export interface Transport {
  /**
   * @param lane requests of one lane go over one connection and arrive in their order; undefined for any
   * @param take gives the bytes, with an id where the transport needs one
   */
  send(lane: number | undefined, take: (id: string | undefined) => Framed, flight: Flight): void;
  close(): void;
}

export const failure = (status: string, message: string, lost = false): Ending => ({
  status,
  message,
  firstByteMs: 0,
  lost,
});
