import type { InferTensorContents } from '@sluice/contracts/gen/inference/InferTensorContents';
import type { LabelPolicy as PolicyMessage } from '@sluice/contracts/gen/sluice/feedback/v1/LabelPolicy';
import type { PayloadTensor } from '@sluice/contracts/gen/sluice/feedback/v1/PayloadTensor';
import type { Prediction } from '@sluice/contracts/gen/sluice/feedback/v1/Prediction';
import type { PredictionAttempt } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionAttempt';
import type { PredictionFeedback } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionFeedback';
import type { PredictionPayload } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionPayload';
import type { PredictionSummary } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionSummary';
import { statusName } from '@sluice/rpc/status';
import type { DecodedTensor } from '../predictions/decode-payload.ts';
import type { FoundPrediction } from '../predictions/get-prediction.ts';
import type { ListedPrediction } from '../predictions/list-predictions.ts';
import type { LabelValue, StoredAttempt } from '../predictions/prediction.ts';
import type { ReadPayload } from '../predictions/read-payloads.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';
import { reasonText } from './reason-text.ts';
import { timestamp } from './scalars.ts';

/** A prediction with all that was made of it, as a message. */
export function encodePrediction(found: FoundPrediction): Prediction {
  const { predictionId, attempts, labels, outcomes, feedback, links, labelPolicy, cut } = found;
  return {
    ...{ predictionId, cut },
    attempts: attempts.map(({ payloads, ...attempt }) => ({
      ...encodeAttempt(attempt),
      request: encodePayload(attempt.requestState, attempt.requestBytes, payloads?.request),
      response: encodePayload(attempt.responseState, attempt.responseBytes, payloads?.response),
    })),
    labels: labels.map(({ labelId, row, source, actor, resolves, recordedMs, labelledMs, ...value }) => ({
      ...{ labelId, row, source, actor, resolves, ...valueOf(value, 'name', 'number') },
      recordedAt: timestamp(recordedMs),
      labelledAt: labelledMs === undefined ? null : timestamp(labelledMs),
    })),
    outcomes: outcomes.map(({ truth, predicted, truthProbability, ...outcome }) => ({
      ...outcome,
      ...{ ...valueOf(truth, 'truthName', 'truthNumber'), ...valueOf(predicted, 'predictedName', 'predictedNumber') },
      ...(truthProbability !== undefined && { truthProbability }),
    })),
    feedback: feedback.map(encodeFeedback),
    auditLinks: links.map((link) => ({ ...link })),
    labelPolicy: encodeLabelPolicy(labelPolicy),
  };
}

function encodeFeedback({
  givenMs,
  recordedMs,
  row,
  text,
  ...item
}: FoundPrediction['feedback'][number]): PredictionFeedback {
  const { feedbackId, kind, source, actor, textState } = item;
  return {
    ...{ feedbackId, kind, source, actor, textState, ...valueOf(item, 'name', 'number') },
    ...{ ...(row !== undefined && { row }), ...(text !== undefined && { text }) },
    ...{ givenAt: givenMs === undefined ? null : timestamp(givenMs), recordedAt: timestamp(recordedMs) },
  };
}

export const encodeLabelPolicy = ({ resolution, trustedSources }: LabelPolicy): PolicyMessage => ({
  resolution: resolution === 'latest' ? 'LABEL_RESOLUTION_LATEST' : 'LABEL_RESOLUTION_TRUSTED_FIRST',
  trustedSources: [...trustedSources],
});

/** A summary of a record, as a message. */
export function encodeSummary({ receivedMs, role, ...summary }: ListedPrediction): PredictionSummary {
  return {
    ...summary,
    ...{ receivedAt: timestamp(receivedMs), role: role ?? '', statusName: statusName(summary.status) },
  };
}

const valueOf = <N extends string, M extends string>(value: LabelValue, name: N, number: M) =>
  ({
    ...(value.name !== undefined && { [name]: value.name }),
    ...(value.number !== undefined && { [number]: value.number }),
  }) as { [K in N]?: string } & { [K in M]?: number };

function encodeAttempt(attempt: StoredAttempt): PredictionAttempt {
  const { receivedMs, ingestedMs, timings, sentMicros, endedMicros, role, status } = attempt;
  const { model, version, versionDigest, versionKnown, releaseId, seedId, policyVersion } = attempt;
  const { arm, servedArm, propensity, answered, reason, rule, fallbackStatus, rows, keepProbability } = attempt;
  const { requestId, subject, caller, traceId, runtime, unitHash, inputHash, retentionClass, skewed } = attempt;
  return {
    ...{ model, version, versionDigest, releaseId, seedId, policyVersion, arm, servedArm, propensity, answered },
    ...{ reason, rule, status, fallbackStatus, rows, keepProbability, requestId, subject, caller, traceId, runtime },
    ...{ retentionClass, skewed, attempt: attempt.attempt, role: role ?? '' },
    ...(versionKnown !== undefined && { versionKnown }),
    ...{ reasonText: reasonText(attempt), statusName: statusName(status) },
    ...{ receivedAt: timestamp(receivedMs), ingestedAt: timestamp(ingestedMs) },
    timings: {
      ...{ sentMicros, endedMicros },
      ...(timings && {
        ...{ queueMicros: timings.queueMicros, runMicros: timings.runMicros },
        ...{ totalMicros: timings.totalMicros, batchRows: timings.batchRows },
      }),
    },
    ...(timings && { costMicros: timings.costMicros }),
    ...(unitHash && { unitHash: Buffer.from(unitHash) }),
    ...(inputHash && { inputHash: Buffer.from(inputHash) }),
  };
}

function encodePayload(state: string, sizeBytes: number, read: ReadPayload | undefined): PredictionPayload {
  if (read?.erased === true) return { state: 'erased', sizeBytes, problem: 'its key is destroyed' };
  return { state, sizeBytes, problem: read?.problem ?? '', tensors: read?.tensors.map(encodeTensor) ?? [] };
}

function encodeTensor(tensor: DecodedTensor): PayloadTensor {
  const { name, datatype, shape, elements, values, featureNames, classNames } = tensor;
  return {
    ...{ name, datatype, shape: [...shape], elements, given: values.length, contents: contentsOf(tensor) },
    ...{ featureNames: [...featureNames], classNames: [...classNames] },
  };
}

/** Values in the field of their datatype, as docs/oip.md has it. */
function contentsOf({ datatype, values }: DecodedTensor): InferTensorContents {
  const list = Array.from(values as ArrayLike<unknown>);
  const numbers = list as number[];
  switch (datatype) {
    case 'BOOL':
      return { boolContents: numbers.map((value) => value !== 0) };
    case 'INT8':
    case 'INT16':
    case 'INT32':
      return { intContents: numbers };
    case 'INT64':
      return { int64Contents: list.map(String) };
    case 'UINT8':
    case 'UINT16':
    case 'UINT32':
      return { uintContents: numbers };
    case 'UINT64':
      return { uint64Contents: list.map(String) };
    case 'FP16':
    case 'BF16':
    case 'FP32':
      return { fp32Contents: numbers };
    case 'FP64':
      return { fp64Contents: numbers };
    case 'BYTES':
      return { bytesContents: (list as Uint8Array[]).map((each) => Buffer.from(each)) };
  }
}
