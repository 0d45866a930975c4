import type { PayloadTensor__Output } from '@sluice/contracts/gen/sluice/feedback/v1/PayloadTensor';
import type { LabelPolicy } from '@sluice/contracts/gen/sluice/feedback/v1/LabelPolicy';
import type { Prediction__Output } from '@sluice/contracts/gen/sluice/feedback/v1/Prediction';
import type { PredictionAttempt__Output } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionAttempt';
import type { PredictionPayload__Output } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionPayload';
import { type CliContext, show } from '../context.ts';
import { showBytes, showFields, showMilliseconds, showShape, showTable, showTime } from '../format.ts';
import { armOf } from './predictions.ts';

export interface ShowFlags {
  readonly payload: boolean;
  readonly values: number;
  readonly labels?: LabelPolicy;
  readonly model: string;
}

/** `sluice prediction show ID` */
export async function showPrediction(context: CliContext, predictionId: string, flags: ShowFlags): Promise<void> {
  const { payload: withPayload, values: maxValues, labels: labelPolicy, model } = flags;
  const { prediction } = await context.services.predictions.getPrediction(
    { predictionId, withPayload, withAliases: true, maxValues, model, labelPolicy: labelPolicy ?? null },
    { signal: context.signal },
  );
  show(context, prediction, () => predictionText(prediction!));
}

/** All of a prediction, for people. */
export function predictionText(prediction: Prediction__Output): string {
  const { attempts, labels, outcomes, feedback, auditLinks } = prediction;
  const parts = [`prediction ${prediction.predictionId}`, ...attempts.map(attemptText)];
  if (labels.length > 0) parts.push(labelsText(prediction));
  if (outcomes.length > 0)
    parts.push(
      showTable(
        ['row', 'version', 'arm', 'truth', 'predicted', 'p(truth)', 'of', 'state'],
        outcomes
          .filter(({ resolves }) => resolves)
          .map((each) => [
            ...[each.row, each.version, armOf({ ...each, role: '' }), each.truthName ?? each.truthNumber ?? ''],
            ...[each.predictedName ?? each.predictedNumber ?? '-', rounded(each.truthProbability)],
            ...[each.source, each.state],
          ]),
      ),
    );
  if (feedback.length > 0)
    parts.push(
      showTable(
        ['feedback', 'row', 'said', 'source', 'by', 'recorded'],
        feedback.map((each) => [
          ...[each.kind, each.row ?? '-', each.text ?? each.name ?? each.number ?? textOf(each.textState)],
          ...[each.source, each.actor, showTime(each.recordedAt)],
        ]),
      ),
    );
  if (auditLinks.length > 0)
    parts.push(
      showTable(
        ['audit entry', 'of'],
        auditLinks.map(({ leafIndex, object }) => [leafIndex, object]),
      ),
    );
  if (prediction.cut) parts.push('There is more of it than is shown.');
  return parts.join('\n\n');
}

const textOf = (state: string): string => (state === 'kept' ? '(a text: --payload shows it)' : state);

const rounded = (value: number | undefined): string =>
  value === undefined ? '-' : String(Number(value.toPrecision(4)));

function labelsText({ labels, labelPolicy }: Prediction__Output): string {
  const how =
    labelPolicy?.resolution === 'LABEL_RESOLUTION_TRUSTED_FIRST'
      ? `trusted first: ${labelPolicy.trustedSources.join(', ')}`
      : 'latest';
  return showTable(
    ['row', 'label', 'source', 'by', 'found', 'recorded', `counts (${how})`],
    labels.map((each) => [
      ...[each.row, each.name ?? each.number ?? '', each.source, each.actor],
      ...[showTime(each.labelledAt), showTime(each.recordedAt), each.resolves ? 'yes' : '-'],
    ]),
  );
}

function attemptText(attempt: PredictionAttempt__Output): string {
  const { model, version, versionKnown, releaseId, keepProbability, costMicros } = attempt;
  const known = versionKnown === false ? ' (the registry does not have it)' : '';
  return showFields([
    ['arm', `${armOf(attempt)}${attempt.answered ? ', answered' : ''}`],
    ['version', `${model} ${version}${known}`],
    ['release', releaseId || 'none: the request named its version'],
    ['why', attempt.reasonText],
    ['status', attempt.statusName],
    ['received', showTime(attempt.receivedAt)],
    ['time', timesText(attempt)],
    ['cost', costMicros === undefined ? '' : `${rounded(costMicros)} core-µs`],
    ['rows', attempt.rows],
    ['kept', keepProbability === 1 ? '' : `with probability ${rounded(keepProbability)}`],
    ['retention', `${attempt.retentionClass}${attempt.skewed ? ', out of time' : ''}`],
    ...(['requestId', 'subject', 'caller', 'traceId', 'runtime'] as const).map(
      (name) => [name.replace(/[A-Z]/, (letter) => ` ${letter.toLowerCase()}`), attempt[name]] as const,
    ),
    ['request', payloadText(attempt.request)],
    ['response', payloadText(attempt.response)],
  ]);
}

function timesText({ timings }: PredictionAttempt__Output): string {
  if (!timings) return '';
  const ms = (micros: string | number): string => showMilliseconds(Number(micros) / 1000);
  const parts = [`${ms(timings.endedMicros)} in all`, `sent after ${ms(timings.sentMicros)}`];
  if (timings.totalMicros !== undefined)
    parts.push(
      `${ms(timings.totalMicros)} in the runtime (${ms(timings.queueMicros ?? 0)} queued, ${ms(timings.runMicros ?? 0)} in a batch of ${timings.batchRows ?? 0})`,
    );
  return parts.join(', ');
}

function payloadText(payload: PredictionPayload__Output | null): string {
  if (!payload) return '';
  const size = Number(payload.sizeBytes) === 0 ? '' : `, ${showBytes(payload.sizeBytes)}`;
  const problem = payload.problem === '' ? '' : `\n${payload.problem}`;
  return `${payload.state}${size}${problem}${payload.tensors.map((tensor) => `\n${tensorText(tensor)}`).join('')}`;
}

/** `scores FP32 [1, 2]: even 0.25, odd 0.75`. */
function tensorText({ name, datatype, shape, elements, given, ...tensor }: PayloadTensor__Output): string {
  const names = tensor.featureNames.length > 0 ? tensor.featureNames : tensor.classNames;
  const values = valuesOf(tensor.contents);
  const shown = values.map((value, index) => {
    const own = names.length === 0 ? undefined : names[index % names.length];
    return own === undefined ? value : `${own} ${value}`;
  });
  const more = Number(elements) > Number(given) ? ` … (${elements} values)` : '';
  return `${name} ${datatype} ${showShape(shape)}: ${shown.join(', ')}${more}`;
}

function valuesOf(contents: PayloadTensor__Output['contents']): string[] {
  if (!contents) return [];
  const { bytesContents, fp32Contents, fp64Contents, ...others } = contents;
  const exact = Object.values(others).flatMap((list) => list.map(String));
  const floats = [...fp32Contents, ...fp64Contents].map((value) => String(Number(value.toPrecision(6))));
  return [...exact, ...floats, ...bytesContents.map((bytes) => JSON.stringify(Buffer.from(bytes).toString('utf8')))];
}
