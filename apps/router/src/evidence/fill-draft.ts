import type { RecordDraft } from '@sluice/evidence/draft';
import { decodeRuntimeFacts } from '@sluice/evidence/runtime-facts';
import { hashInputs } from '@sluice/inference/input-hash';
import { redactedRanges } from '@sluice/inference/redaction';
import type { RedactionPlan } from '@sluice/inference/redaction';
import type { Pieces } from '@sluice/rpc/raw-client';
import { statusOf } from '@sluice/rpc/status';
import type { AttemptEnd, ObservedAttempt } from '../route/attempt-observer.ts';
import type { Capture } from './capture.ts';

/** What the record of an attempt needs beside the attempt. */
export interface DraftFacts {
  readonly capture: Capture;
  readonly keepProbability: number;
  /** Milliseconds since the epoch at which `Clock.monotonic()` was 0. */
  readonly epochMs: number;
  /** Hash of the unit key; undefined without one. */
  readonly unitHash: string | undefined;
}

const traceparent = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** Puts an attempt into a draft, payloads as they lie: they are read when the draft is appended. */
export function fillDraft(draft: RecordDraft, attempt: ObservedAttempt, end: AttemptEnd, facts: DraftFacts): void {
  const { error, outcome } = end;
  const { receivedMs, sentMs, said } = attempt;
  const told = outcome === undefined ? undefined : decodeRuntimeFacts(outcome.facts);
  draft.context = facts.capture.context;
  draft.predictionId = attempt.predictionId;
  draft.attempt = Math.min(attempt.attempt, 255);
  draft.answered = end.answered;
  draft.reason = attempt.reason;
  draft.status = error === undefined ? 0 : statusOf(error.kind);
  draft.fallbackStatus = attempt.fallback === undefined ? 0 : statusOf(attempt.fallback.kind);
  draft.receivedMs = facts.epochMs + receivedMs;
  draft.sentMicros = (sentMs - receivedMs) * 1000;
  draft.endedMicros = (end.endedMs - receivedMs) * 1000;
  draft.timings = told;
  draft.rows = told === undefined ? 0 : told.rows;
  draft.keepProbability = facts.keepProbability;
  draft.unitHash = facts.unitHash;
  // What is hidden could be guessed from a hash of all inputs.
  draft.inputHash = facts.capture.redaction === undefined ? hashInputs(attempt.message) : undefined;
  draft.requestId = attempt.requestId;
  draft.subject = said.subject ?? '';
  draft.caller = said.caller ?? '';
  draft.traceId = attempt.traceparent === undefined ? '' : (traceparent.exec(attempt.traceparent)?.[1] ?? '');
  draft.rule = attempt.rule;
  draft.runtime = attempt.runtimeId;
  fillRequest(draft, attempt.message, facts.capture);
  fillResponse(draft, end.answer, facts.capture);
}

const noRanges: readonly number[] = [];

const rangesOf = (message: Uint8Array, redaction: RedactionPlan | 'impossible'): readonly number[] | undefined =>
  redaction === 'impossible' ? undefined : redactedRanges(message, redaction);

function fillRequest(draft: RecordDraft, message: Uint8Array, { requestLimit, redaction }: Capture): void {
  draft.request = undefined;
  draft.redactions = undefined;
  if (requestLimit < 0) draft.requestState = 'off';
  else if (message.length > requestLimit) draft.requestState = 'too-large';
  else {
    const hidden = redaction === undefined ? noRanges : rangesOf(message, redaction);
    if (hidden === undefined) {
      draft.requestState = 'not-redactable';
      return;
    }
    draft.requestState = 'captured';
    draft.request = message;
    if (hidden.length > 0) draft.redactions = hidden;
  }
}

function fillResponse(draft: RecordDraft, answer: Pieces | undefined, { responseLimit }: Capture): void {
  draft.response = undefined;
  if (responseLimit < 0) draft.responseState = 'off';
  else if (answer === undefined) draft.responseState = 'none';
  else {
    let size = 0;
    for (const piece of answer) size += piece.length;
    if (size > responseLimit) draft.responseState = 'too-large';
    else {
      draft.responseState = 'captured';
      draft.response = answer;
    }
  }
}

/** Of a draft nothing is kept: what it pointed to was a request's. */
export function emptyPayloads(draft: RecordDraft): void {
  draft.request = undefined;
  draft.response = undefined;
}
