import { clip } from '@sluice/domain/names';
import { storableText, textProblem } from '@sluice/domain/text';
import { maxTextBytes } from '@sluice/evidence/layout';
import type { Retention } from '../evidence/days.ts';
import { dayMs, idTime } from '../evidence/days.ts';
import type { Item, Refusal, Truth } from './item.ts';
import { isName } from './item.ts';
import { limits } from './limits.ts';

/** Where an item says that it belongs, as it came. */
export interface GivenAddress {
  readonly predictionId: string;
  readonly model: string;
  readonly requestId: string;
}

/** What checks need to know beside an item. */
export interface CheckContext {
  readonly nowMs: number;
  readonly retention: Retention;
}

const invalid = (reason: string): Refusal => ({ kind: 'invalid-argument', reason });
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Why a text cannot be taken; undefined when it can. @param most bytes */
export function textRefusal(text: string, field: string, most: number): Refusal | undefined {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0) return invalid(`${field}: missing; expected 1 to ${most} bytes of text`);
  if (bytes > most) return invalid(`${field}: ${bytes} bytes given; expected at most ${most}`);
  const problem = textProblem(text);
  return problem === undefined ? undefined : invalid(`${field}: the text ${problem}; expected Unicode without NUL`);
}

/** A request id as ingest stores it: without NUL, and cut at the end of a character where it is long. */
export function requestIdAsStored(requestId: string): string {
  const text = storableText(requestId);
  if (Buffer.byteLength(text) <= maxTextBytes) return text;
  const bytes = Buffer.alloc(maxTextBytes);
  return bytes.toString('utf8', 0, bytes.write(text, 0, maxTextBytes, 'utf8'));
}

/** The address of an item as the tables have it, or why it is none. */
export function checkAddress(given: GivenAddress, context: CheckContext): GivenAddress | Refusal {
  const { predictionId, model, requestId } = given;
  if (predictionId === '') return checkRequest(model, requestId);
  if (requestId !== '') return invalid('request_id: given beside prediction_id; expected one of the two');
  if (model !== '') return invalid('model: given beside prediction_id; expected only with request_id');
  return checkId(predictionId.toLowerCase(), context);
}

function checkRequest(model: string, requestId: string): GivenAddress | Refusal {
  if (requestId === '')
    return invalid('prediction_id: missing; expected the id of a prediction, or model and request_id');
  const problem = textRefusal(model, 'model', limits.sourceBytes);
  if (problem) return problem;
  const bytes = Buffer.byteLength(requestId);
  if (bytes > limits.requestIdBytes)
    return invalid(`request_id: ${bytes} bytes given; expected at most ${limits.requestIdBytes}`);
  return { predictionId: '', model, requestId: requestIdAsStored(requestId) };
}

/** Ids of times for which there are no days would wait for nothing. */
function checkId(predictionId: string, { nowMs, retention }: CheckContext): GivenAddress | Refusal {
  const idMs = uuid.test(predictionId) ? idTime(predictionId) : undefined;
  if (idMs === undefined)
    return invalid(`prediction_id: "${clip(predictionId)}" is none; expected a UUID of version 7, as answers carry it`);
  const days = Math.max(retention.short, retention.standard, retention.long);
  if (idMs >= nowMs + dayMs) return invalid(`prediction_id: ${predictionId} is of a time more than a day ahead`);
  if (idMs <= nowMs - days * dayMs)
    return {
      kind: 'not-found',
      reason: `prediction_id: ${predictionId} has expired: evidence is kept ${days} days at most`,
    };
  return { predictionId, model: '', requestId: '' };
}

/** @param atMicros undefined where nobody said; NaN where that was no time */
export function timeRefusal(atMicros: number | undefined, field: string, nowMs: number): Refusal | undefined {
  if (atMicros === undefined) return undefined;
  if (!(atMicros >= 0)) return invalid(`${field}: is no time from 1970 on`);
  if (atMicros > (nowMs + limits.skewMs) * 1_000)
    return invalid(
      `${field}: ${new Date(Math.min(atMicros / 1_000, 8.64e15)).toISOString()} is in the future; ` +
        `expected a time until now, or ${limits.skewMs / 60_000} minutes from now where clocks differ`,
    );
  return undefined;
}

/** @param truth undefined where none was given */
export function truthRefusal(truth: Truth | undefined, field: string): Refusal | undefined {
  if (truth === undefined) return invalid(`${field}: missing; expected a name or a number`);
  if (isName(truth)) return textRefusal(truth.name, `${field}.name`, limits.nameBytes);
  return numberRefusal(truth.number, `${field}.number`);
}

export function numberRefusal(value: number, field: string): Refusal | undefined {
  return Number.isFinite(value) ? undefined : invalid(`${field}: ${value} given; expected a finite number`);
}

/** The highest that a column of the tables has. */
export const mostRow = 0x7fff_ffff;

/** A label as it came. */
export interface GivenLabel extends GivenAddress {
  readonly source: string;
  readonly row: number;
  /** Undefined where it was not given, or had neither name nor number. */
  readonly value: Truth | undefined;
  readonly hasValue: boolean;
  readonly values: readonly (Truth | undefined)[];
  readonly atMicros: number | undefined;
  readonly actor: string;
}

/** A label that may be looked up, or why it is refused whatever its prediction is. */
export function checkLabel(given: GivenLabel, context: CheckContext): Item | Refusal {
  const { source, row, value, values, atMicros, actor } = given;
  const address = checkAddress(given, context);
  if ('reason' in address) return address;
  const perRow = values.length > 0;
  const problem =
    textRefusal(source, 'source', limits.sourceBytes) ??
    timeRefusal(atMicros, 'labelled_at', context.nowMs) ??
    (perRow ? valuesRefusal(given) : truthRefusal(value, 'value')) ??
    (row > mostRow ? invalid(`row: ${row} given; expected the index of a row of the prediction`) : undefined);
  if (problem) return problem;
  return {
    kind: 'label',
    predictionId: address.predictionId,
    model: address.model,
    requestId: address.requestId,
    source,
    actor,
    atMicros,
    row,
    perRow,
    values: perRow ? (values as readonly Truth[]) : [value!],
    payload: undefined,
  };
}

function valuesRefusal({ hasValue, row, values }: GivenLabel): Refusal | undefined {
  if (hasValue) return invalid('value: given beside values; expected one of the two');
  if (row !== 0) return invalid(`row: ${row} given beside values, which are for all rows; expected only with value`);
  for (const [index, truth] of values.entries()) {
    const refusal = truthRefusal(truth, `values[${index}]`);
    if (refusal) return refusal;
  }
  return undefined;
}
