import type { BatchPlan } from './batch-plan.ts';
import type { RuntimeDatatype } from './datatypes.ts';
import type { SessionDevice } from './devices.ts';
import type { MarkStart } from './thread-mark.ts';

/** How a session is made. */
export interface SessionSettings {
  /** Path of the ONNX file; external data resolves beside it. */
  readonly graphFile: string;
  readonly intraOpThreads: number;
  /** Whether idle threads of the session spin before they sleep; only sensible when they own their cores. */
  readonly spinning: boolean;
  /** The version's number in the crash file; nobody learns of its crashes without. */
  readonly crashNumber?: number;
  /** Where it runs; the CPU unless told otherwise. */
  readonly device?: SessionDevice;
}

/** What a worker is started with: its doorbell and its mark. Sessions are opened by message. */
export interface WorkerStart {
  readonly bell: SharedArrayBuffer;
  readonly mark: MarkStart;
}

/** A message of or for one session of a worker. */
export interface Envelope<Message> {
  readonly session: number;
  readonly message: Message;
}

/** Main thread to worker, on the port. It is read when the doorbell rings, and before every batch. */
export type ToWorker =
  | { readonly kind: 'open'; readonly control: SharedArrayBuffer; readonly settings: SessionSettings }
  | { readonly kind: 'plan'; readonly plan: BatchPlan }
  | { readonly kind: 'forget-plan'; readonly id: number }
  | { readonly kind: 'buffer'; readonly id: number; readonly memory: SharedArrayBuffer }
  | { readonly kind: 'forget-buffer'; readonly id: number }
  /** Warming up is over: what happens from now on is no fault of the load. */
  | { readonly kind: 'serves' }
  | { readonly kind: 'close' };

/** One tensor of a loaded graph. */
export interface LoadedTensor {
  readonly name: string;
  readonly datatype: RuntimeDatatype;
  /** -1 where a dimension is dynamic. */
  readonly shape: readonly number[];
}

/** An output whose size the run decided. */
export interface OpenOutput {
  /** The whole shape, batch dimension included. */
  readonly dims: readonly number[];
  /** Elements as the protocol writes them: little-endian, BYTES with a length before each. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** For BYTES: where each row starts, with one more entry for the end. */
  readonly rowStarts: Uint32Array<ArrayBuffer> | undefined;
}

/** Worker to main thread, on the port. */
export type FromWorker =
  | {
      readonly kind: 'loaded';
      readonly inputs: readonly LoadedTensor[];
      readonly outputs: readonly LoadedTensor[];
      /** Milliseconds that opening the graph took. */
      readonly openMs: number;
    }
  | { readonly kind: 'load-failed'; readonly message: string }
  /** By output; undefined where the output is in the batch buffer. */
  | { readonly kind: 'results'; readonly batch: number; readonly outputs: readonly (OpenOutput | undefined)[] }
  | { readonly kind: 'batch-failed'; readonly batch: number; readonly message: string }
  | { readonly kind: 'closed' };
