import type { EncodedContext } from './encoded-context.ts';
import type { PayloadState, RouteReason, RuntimeTimings } from './record.ts';

/**
 * A record that is being written: one object that is filled anew for each, so that a record costs none. Fields mean what those
 * of `EvidenceRecord` do.
 */
export interface RecordDraft {
  context: EncodedContext;
  predictionId: string;
  attempt: number;
  answered: boolean;
  reason: RouteReason;
  status: number;
  fallbackStatus: number;
  receivedMs: number;
  sentMicros: number;
  endedMicros: number;
  timings: RuntimeTimings | undefined;
  rows: number;
  keepProbability: number;
  /** Hashes are texts of an octet for each character (latin1): as such Node gives them for a third of the time. */
  unitHash: string | undefined;
  inputHash: string | undefined;
  requestId: string;
  subject: string;
  caller: string;
  traceId: string;
  rule: string;
  runtime: string;
  requestState: PayloadState;
  request: Uint8Array | undefined;
  /** Offset and length by turns, in `request`: what is zeroed in the copy. */
  redactions: readonly number[] | undefined;
  responseState: PayloadState;
  /** One after the other. */
  response: readonly Uint8Array[] | undefined;
}

/** A draft with nothing in it but its context. */
export function emptyDraft(context: EncodedContext): RecordDraft {
  return {
    ...{
      context,
      predictionId: '00000000-0000-7000-8000-000000000000',
      attempt: 1,
      answered: false,
      reason: 'only-arm',
    },
    ...{ status: 0, fallbackStatus: 0, receivedMs: 0, sentMicros: 0, endedMicros: 0, timings: undefined, rows: 0 },
    ...{ keepProbability: 1, unitHash: undefined, inputHash: undefined, requestId: '', subject: '', caller: '' },
    ...{ traceId: '', rule: '', runtime: '', requestState: 'off', request: undefined, redactions: undefined },
    ...{ responseState: 'off', response: undefined },
  };
}
