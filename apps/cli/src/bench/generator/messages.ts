import type { TlsMaterial } from '@sluice/rpc/tls/source';
import type { TransportName } from '@sluice/rpc/transport/transport';
import type { Load } from './driver.ts';
import type { SequenceSettings } from './sequences.ts';
import type { Counts } from './tally.ts';

/** What a load thread is made with. */
export interface ThreadStart {
  readonly addresses: readonly string[];
  /** ModelInferRequests in shared memory, taken in turn. */
  readonly messages: readonly Uint8Array[];
  readonly timeoutMs: number;
  readonly streaming: boolean;
  /** The gRPC client that makes the calls. */
  readonly transport: TransportName;
  /** What it connects with; undefined: plainly. */
  readonly tls: TlsMaterial | undefined;
  readonly sequences: SequenceSettings | undefined;
  readonly seed: number;
  /** Which of how many threads it is. */
  readonly index: number;
  readonly of: number;
  /** Requests that ended since the load began; one counter for all threads. */
  readonly ended: SharedArrayBuffer;
  readonly pacer: SharedArrayBuffer;
}

/** What it is asked to do; each is answered once done. */
export type ThreadRequest =
  | { readonly kind: 'start'; readonly load: Load; readonly limit: number | undefined }
  /** Gives what was counted since the start or the last time. */
  | { readonly kind: 'collect' }
  | { readonly kind: 'stop' };

/** What one thread measured in one window. */
export interface ThreadWindow extends Counts {
  readonly seconds: number;
  /** Processor time of the thread, in milliseconds. */
  readonly cpuMs: number;
}

export interface ThreadAnswer {
  readonly window?: ThreadWindow;
}
