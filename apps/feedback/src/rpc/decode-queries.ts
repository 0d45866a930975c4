import type { GetStatisticsRequest__Output } from '@sluice/contracts/gen/sluice/feedback/v1/GetStatisticsRequest';
import type { LabelPolicy__Output } from '@sluice/contracts/gen/sluice/feedback/v1/LabelPolicy';
import type { ListPredictionsRequest__Output } from '@sluice/contracts/gen/sluice/feedback/v1/ListPredictionsRequest';
import { invalidArgument } from '@sluice/domain/errors';
import { checkText } from '@sluice/domain/text';
import type { GetStatistics } from '../predictions/get-statistics.ts';
import type { ListPredictions } from '../predictions/list-predictions.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';
import { latestLabel } from '../versions/registry-version.ts';
import { readInteger } from './scalars.ts';

/** A time of a request in milliseconds, cut; undefined where it is not given. */
export function readTime(value: { readonly seconds: string; readonly nanos: number } | null, field: string) {
  if (value === null) return undefined;
  const ms = Number(value.seconds) * 1000 + Math.floor(value.nanos / 1e6);
  if (!Number.isSafeInteger(ms)) throw invalidArgument(`${field}: ${value.seconds} seconds given; expected a time`);
  return ms;
}

export const readVersions = (versions: readonly string[]): number[] =>
  versions.map((version, index) => readInteger(version, `versions[${index}]`));

const mostSources = 32;
const mostSourceBytes = 256;

/** A policy of a request; undefined where it is not given, or says nothing. */
export function readLabelPolicy(policy: LabelPolicy__Output | null): LabelPolicy | undefined {
  if (policy === null) return undefined;
  const { resolution, trustedSources } = policy;
  switch (resolution) {
    case 'LABEL_RESOLUTION_UNSPECIFIED':
    case 'LABEL_RESOLUTION_LATEST':
      if (trustedSources.length > 0)
        throw invalidArgument(
          'label_policy.trusted_sources: given; expected none unless the resolution is TRUSTED_FIRST',
        );
      return resolution === 'LABEL_RESOLUTION_LATEST' ? latestLabel : undefined;
    case 'LABEL_RESOLUTION_TRUSTED_FIRST': {
      const field = 'label_policy.trusted_sources';
      if (trustedSources.length === 0 || trustedSources.length > mostSources)
        throw invalidArgument(`${field}: ${trustedSources.length} given; expected 1 to ${mostSources}`);
      for (const [index, source] of trustedSources.entries())
        if (source === '' || Buffer.byteLength(checkText(source, `${field}[${index}]`)) > mostSourceBytes)
          throw invalidArgument(
            `${field}[${index}]: expected the name of a source, of at most ${mostSourceBytes} bytes`,
          );
      return { resolution: 'trusted-first', trustedSources };
    }
  }
}

export const statuses = {
  STATUS_FILTER_UNSPECIFIED: 'any',
  STATUS_FILTER_OK: 'ok',
  STATUS_FILTER_FAILED: 'failed',
} as const;
export const labels = {
  LABEL_FILTER_UNSPECIFIED: 'any',
  LABEL_FILTER_LABELLED: 'labelled',
  LABEL_FILTER_UNLABELLED: 'unlabelled',
} as const;
const buckets = {
  STATISTICS_BUCKET_UNSPECIFIED: 'none',
  STATISTICS_BUCKET_HOUR: 'hour',
  STATISTICS_BUCKET_DAY: 'day',
} as const;

/** The meaning of an enum's value. @throws SluiceError invalid-argument for a number that is not known here */
export function known<T>(meanings: Readonly<Record<string, T>>, value: string | number, field: string): T {
  const meaning = Object.hasOwn(meanings, value) ? meanings[value] : undefined;
  if (meaning === undefined)
    throw invalidArgument(`${field}: ${value} given; expected one of ${Object.keys(meanings).join(', ')}`);
  return meaning;
}

export const readArm = (arm: string | undefined): string | undefined =>
  arm === undefined ? undefined : checkText(arm, 'arm');

/** What is listed. */
export const readList = (request: ListPredictionsRequest__Output): ListPredictions => ({
  ...{ model: request.model, versions: readVersions(request.versions), arm: readArm(request.arm) },
  range: { fromMs: readTime(request.from, 'from'), toMs: readTime(request.to, 'to') },
  status: known(statuses, request.status, 'status'),
  label: known(labels, request.label, 'label'),
  ...{ requestId: request.requestId, subject: request.subject },
  ...{ pageSize: request.pageSize, pageToken: request.pageToken },
});

/** What statistics are asked for. */
export const readStatistics = (request: GetStatisticsRequest__Output): GetStatistics => ({
  ...{ model: request.model, versions: readVersions(request.versions), arm: readArm(request.arm) },
  range: { fromMs: readTime(request.from, 'from'), toMs: readTime(request.to, 'to') },
  bucket: known(buckets, request.bucket, 'bucket'),
  byArm: known(
    { STATISTICS_GROUPING_UNSPECIFIED: true, STATISTICS_GROUPING_VERSION: false },
    request.grouping,
    'grouping',
  ),
  labelAgeSeconds: readInteger(request.labelAgeSeconds, 'label_age_seconds'),
  ...{ labelPolicy: readLabelPolicy(request.labelPolicy), positiveClass: request.positiveClass },
});
