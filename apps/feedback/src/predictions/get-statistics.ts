import type { Clock } from '@sluice/domain/clock';
import { invalidArgument } from '@sluice/domain/errors';
import { checkModelName } from '@sluice/domain/names';
import { checkText } from '@sluice/domain/text';
import { dayMs } from '../evidence/days.ts';
import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { LabelPolicy } from '../versions/registry-version.ts';
import { latestLabel } from '../versions/registry-version.ts';
import { narrowed } from './narrowed.ts';
import type { Bucket, GroupKey, LabelStatistics, StatisticsReader, TrafficStatistics } from './statistics.ts';
import type { AskedRange, TimeRange } from './time-range.ts';
import { timeRange } from './time-range.ts';

export interface GetStatistics {
  readonly model: string;
  readonly versions: readonly number[];
  readonly arm: string | undefined;
  readonly range: AskedRange;
  readonly bucket: Bucket;
  readonly byArm: boolean;
  /** 0: all labels. */
  readonly labelAgeSeconds: number;
  /** Undefined: what the model says. */
  readonly labelPolicy: LabelPolicy | undefined;
  /** Empty: that of each version. */
  readonly positiveClass: string;
}

export interface StatisticsGroup {
  readonly traffic: TrafficStatistics;
  /** Undefined: no row has a label. */
  readonly labels: LabelStatistics | undefined;
}

export interface Statistics {
  readonly groups: readonly StatisticsGroup[];
  readonly range: TimeRange;
  readonly labelPolicy: LabelPolicy;
  /** Why policy or positive classes are not those of the registry; empty where they are, or were given. */
  readonly registryProblem: string;
}

export interface StatisticsPorts {
  readonly reader: StatisticsReader;
  readonly facts: Pick<RegistryFacts, 'version' | 'model'>;
  readonly clock: Clock;
}

const mostVersions = 100;
const mostDays = { none: 31, hour: 31, day: 366 } as const satisfies Record<Bucket, number>;
const mostLabelAgeSeconds = (36_500 * dayMs) / 1000;
/** As long as a name of a class may be. */
const mostClassBytes = 1_024;

/**
 * Counts, latency, cost, labels and quality of a model's versions.
 *
 * @throws SluiceError invalid-argument for a range that is too long, deadline-exceeded when the database needs too long for it, and
 * resource-exhausted when there are too many groups
 */
export async function getStatistics(ports: StatisticsPorts, request: GetStatistics): Promise<Statistics> {
  check(request);
  const { model, versions, arm, bucket, byArm } = request;
  const nowMs = ports.clock.now();
  const advice = bucket === 'none' ? ': ask for less, or for a bucket of days' : '';
  const range = timeRange(request.range, nowMs, mostDays[bucket] * dayMs, advice);
  const labelAgeMs = request.labelAgeSeconds === 0 ? undefined : request.labelAgeSeconds * 1000;
  const query = { model, versions, arm, range, bucket, byArm, labelAgeMs, nowMs };
  const traffic = await narrowed(ports.reader.traffic(query), 'statistics of this range', narrower);
  const said = await fromRegistry(ports.facts, request, traffic);
  const quality = { ...query, policy: said.policy, positiveClasses: said.positiveClasses };
  const labels = await narrowed(ports.reader.labels(quality), 'quality of this range', narrower);
  const byKey = new Map(labels.map((each) => [keyOf(each), each]));
  return {
    ...{ range, labelPolicy: said.policy, registryProblem: said.problem },
    groups: traffic.map((each) => ({ traffic: each, labels: byKey.get(keyOf(each)) })),
  };
}

const narrower = 'narrow `from` and `to`';

function check({ model, positiveClass, versions, labelAgeSeconds }: GetStatistics): void {
  checkModelName(model);
  checkText(positiveClass, 'positive_class');
  if (Buffer.byteLength(positiveClass) > mostClassBytes)
    throw invalidArgument(`positive_class: longer than ${mostClassBytes} bytes; expected the name of a class`);
  if (versions.length > mostVersions)
    throw invalidArgument(`versions: ${versions.length} given; expected at most ${mostVersions}`);
  if (labelAgeSeconds > mostLabelAgeSeconds)
    throw invalidArgument(`label_age_seconds: ${labelAgeSeconds} given; expected at most ${mostLabelAgeSeconds}`);
}

const keyOf = ({ bucketMs, version, arm, role }: GroupKey): string =>
  `${bucketMs ?? ''} ${version} ${role ?? ''} ${arm}`;

interface Said {
  readonly policy: LabelPolicy;
  readonly positiveClasses: ReadonlyMap<number, string>;
  readonly problem: string;
}

/** Policy and positive classes, of the registry where the request says nothing of them. */
async function fromRegistry(
  facts: StatisticsPorts['facts'],
  { model, labelPolicy, positiveClass }: GetStatistics,
  traffic: readonly TrafficStatistics[],
): Promise<Said> {
  const asked = labelPolicy ? undefined : await facts.model(model);
  const policy = labelPolicy ?? (asked?.state === 'known' ? asked.value.labels : latestLabel);
  const positiveClasses = new Map<number, string>();
  let away = asked?.state === 'away';
  for (const version of new Set(traffic.map((each) => each.version))) {
    if (positiveClass !== '') positiveClasses.set(version, positiveClass);
    else {
      // Whatever their digest: a number is one version, or was before the registry was put back.
      const answer = await facts.version({ model, version, versionDigest: '' });
      away ||= answer.state === 'away';
      if (answer.state === 'known' && answer.value.task.kind === 'classification')
        positiveClasses.set(version, answer.value.task.positiveClass);
    }
  }
  const problem = away
    ? 'the registry could not be asked: labels are resolved by `latest`, or precision and recall are means over classes'
    : '';
  return { policy, positiveClasses, problem };
}
