import type { PredictionSummary__Output } from '@sluice/contracts/gen/sluice/feedback/v1/PredictionSummary';
import { SluiceError } from '@sluice/domain/errors';
import { type CliContext, show } from '../context.ts';
import { CliError, exitCodes } from '../exit-codes.ts';
import { showMilliseconds, showTable, showTime } from '../format.ts';
import { type Moment, momentMessage } from '../prediction-options.ts';

/** Which records are looked at. */
export interface RangeFlags {
  readonly modelVersion?: readonly string[];
  readonly arm?: string;
  readonly from?: Moment;
  readonly to?: Moment;
}

export interface PredictionFlags extends RangeFlags {
  readonly status?: 'ok' | 'failed';
  readonly labelled?: true;
  readonly unlabelled?: true;
  /** Empty: of any. */
  readonly requestId: string;
  readonly subject: string;
  readonly limit: number;
  /** Shows nothing but ids, for other commands. */
  readonly ids?: boolean;
}

/** What a request says of the records that it is about. */
export function rangeOf(context: CliContext, model: string, { modelVersion = [], arm, from, to }: RangeFlags) {
  const nowMs = context.clock.now();
  return {
    ...{ model, versions: [...modelVersion], ...(arm !== undefined && { arm }) },
    ...{ from: momentMessage(from, nowMs), to: momentMessage(to, nowMs) },
  };
}

/** `sluice predictions MODEL`: the newest first. */
export async function listPredictions(context: CliContext, model: string, flags: PredictionFlags): Promise<void> {
  const { requestId, subject, limit } = flags;
  const filter = {
    // Said once: pages of a range that moved would leave something out.
    ...rangeOf(context, model, { ...flags, from: flags.from ?? { agoMs: 86_400_000 } }),
    status: statusFilters[flags.status ?? 'any'],
    label: labelFilters[labelState(flags)],
    ...{ requestId, subject },
  } as const;
  const found: PredictionSummary__Output[] = [];
  let pageToken = '';
  do {
    const asked = { ...filter, pageToken, pageSize: Math.min(1000, limit - found.length) };
    const page = await context.services.predictions.listPredictions(asked, { signal: context.signal });
    found.push(...page.predictions);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && found.length < limit);
  if (found.length === 0) await expectModel(context, model);
  if (flags.ids) {
    // Attempts at one prediction share its id.
    const ids = [...new Set(found.map(({ predictionId }) => predictionId))];
    show(context, ids, () => ids.join('\n'));
  } else show(context, found, () => (found.length === 0 ? noPredictions(model) : showPredictions(found)));
}

export const statusFilters = {
  any: 'STATUS_FILTER_UNSPECIFIED',
  ok: 'STATUS_FILTER_OK',
  failed: 'STATUS_FILTER_FAILED',
} as const;
export const labelFilters = {
  any: 'LABEL_FILTER_UNSPECIFIED',
  labelled: 'LABEL_FILTER_LABELLED',
  unlabelled: 'LABEL_FILTER_UNLABELLED',
} as const;

/**
 * Where nothing is found: a model that nobody knows has no predictions either, and a name with a typing error in it should
 * not look like an answer. One that was deleted is not asked for while there are records of it.
 *
 * @throws {CliError} not found, where the registry knows no such model; without the registry nothing is said of it
 */
export async function expectModel({ services, signal }: CliContext, name: string): Promise<void> {
  try {
    await services.registry.getModel({ name }, { signal });
  } catch (error) {
    if (SluiceError.from(error).kind === 'not-found')
      throw new CliError(exitCodes.notFound, `no model "${name}"`, '`sluice models` lists the models.');
  }
}

export const noPredictions = (model: string): string =>
  `no predictions of "${model}" of this kind and time (default: the last 24 hours)`;

/** Which label state two flags ask for. */
export const labelState = ({ labelled, unlabelled }: { readonly labelled?: true; readonly unlabelled?: true }) =>
  labelled ? 'labelled' : unlabelled ? 'unlabelled' : 'any';

/** A line for each record. */
function showPredictions(found: readonly PredictionSummary__Output[]): string {
  return showTable(
    ['time', 'prediction', 'version', 'arm', 'status', 'took', 'label', 'request id'],
    found.map((each) => [
      ...[showTime(each.receivedAt), each.predictionId, each.version, armOf(each), each.statusName],
      ...[showMilliseconds(Number(each.endedMicros) / 1000), each.labelled ? 'yes' : '-', each.requestId || '-'],
    ]),
  );
}

/** `mlp`, `mlp (shadow)`; '-' where the request named its version. */
export function armOf({ arm, role, attempt }: { arm: string; role: string; attempt: number }): string {
  const retry = attempt > 1 ? ` #${attempt}` : '';
  if (arm === '') return `-${retry}`;
  return `${arm === role || role === '' ? arm : `${arm} (${role})`}${retry}`;
}
