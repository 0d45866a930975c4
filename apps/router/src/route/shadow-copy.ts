import type { RouteReason } from '@sluice/evidence/record';
import type { RawClientCall } from '@sluice/rpc/raw-client';
import type { ObservedAttempt } from './attempt-observer.ts';
import type { CallMetadata } from './call-metadata.ts';
import type { ArmRoute } from './release-route.ts';
import type { VersionTarget } from './table.ts';

/** What is copied of a request that was answered. */
export type Mirrored = Pick<
  ObservedAttempt,
  'predictionId' | 'receivedMs' | 'requestId' | 'said' | 'traceparent' | 'message'
> & { readonly metadata: Readonly<Record<string, string>> | undefined };

/** The bytes of a request, which its copies share. */
export class MirroredBytes {
  #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** A message may lie in what its connection read with many others, all of which it would keep. */
  own(): void {
    const { byteLength, buffer } = this.#bytes;
    if (buffer.byteLength > byteLength) this.#bytes = new Uint8Array(this.#bytes);
  }
}

/** A request on its way to one shadow arm. */
export class ShadowCopy implements ObservedAttempt {
  readonly predictionId: string;
  readonly version: VersionTarget;
  readonly assigned: ArmRoute;
  readonly served: ArmRoute;
  readonly reason: RouteReason = 'shadow';
  readonly rule = '';
  readonly attempt = 1;
  readonly fallback = undefined;
  readonly receivedMs: number;
  readonly requestId: string;
  readonly said: CallMetadata;
  readonly traceparent: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly size: number;
  /** Milliseconds of `Clock.monotonic()`. */
  readonly deadlineAt: number;
  runtimeId = '';
  sentMs = 0;
  call: RawClientCall | undefined;
  /** Where it stands among those in flight. */
  place = -1;
  readonly #bytes: MirroredBytes;

  constructor(of: Mirrored, bytes: MirroredBytes, arm: ArmRoute, version: VersionTarget, deadlineAt: number) {
    this.predictionId = of.predictionId;
    this.receivedMs = of.receivedMs;
    this.requestId = of.requestId;
    this.said = of.said;
    this.traceparent = of.traceparent;
    this.metadata = of.metadata;
    this.assigned = this.served = arm;
    this.version = version;
    this.size = of.message.byteLength;
    this.deadlineAt = deadlineAt;
    this.#bytes = bytes;
  }

  get message(): Uint8Array {
    return this.#bytes.bytes;
  }

  own(): void {
    this.#bytes.own();
  }
}
