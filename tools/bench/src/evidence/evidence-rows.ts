import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { createRawClient } from '@sluice/rpc/raw-client';
import { eventuallyRight } from '../cases.ts';
import type { LoadOptions } from '../measure.ts';
import { connect } from '../platform.ts';
import type { MeasuredPlatform } from '../platforms.ts';
import { sayingWhy, type Scenario } from '../scenario.ts';
import { inferPath } from '../subject.ts';
import type { Workload } from '../workloads.ts';
import { databaseAway, databaseAwayName } from './database-away.ts';
import { durable, durableName } from './durable.ts';
import { FilledTable } from './filled-table.ts';
import { getPrediction, getPredictionName } from './get-prediction.ts';
import { ingest, ingestName } from './ingest.ts';
import { labelJoin, labelJoinName } from './label-join.ts';
import { forgetEvidence, OwnFeedback } from './own-feedback.ts';
import { bytesOf, type RecordSample } from './records.ts';
import { routerCpu, routerCpuName } from './router-cpu.ts';
import { slicePlan, type EvidenceSizes } from './sizes.ts';
import { spoolRate, spoolRateName } from './spool-rate.ts';

/** In the order in which they take turns. The last one stops the database. */
export const evidenceNames: readonly string[] = [
  ...[routerCpuName, durableName, spoolRateName, ingestName, labelJoinName, getPredictionName, databaseAwayName],
];

export interface EvidenceRowsOptions extends LoadOptions {
  /** The repository. */
  readonly root: string;
  readonly rounds: number;
  readonly portOffset: number;
  readonly sizes: EvidenceSizes;
  readonly only: RegExp;
  readonly say: (line: string) => void;
  /** What is to be stopped when the bench ends. */
  readonly onStop: (stop: () => Promise<void>) => void;
}

/** The rows about evidence that `only` leaves, of a platform and its small model. One that cannot be measured says so in its row. */
export async function evidenceRows(
  platform: MeasuredPlatform,
  small: Workload,
  options: EvidenceRowsOptions,
): Promise<Scenario[]> {
  const { router, registryAddress, home, postgresPort, pids, feedbackMetricsPort } = platform;
  const { say, sizes, rounds } = options;
  const drain = { registryAddress, metricsPort: platform.routerMetricsPort };
  const spoolFolder = path.join(home, 'router');
  const place = { home, postgresPort };
  const platformPid = pids['platform']![0]!;
  const routerPid = pids['router']![0]!;
  const watched = { router: routerPid, feedback: pids['feedback']![0]! };
  options.onStop(async () => {
    // Whatever became of the run: what is left over only takes room.
    await forgetEvidence(place).catch((error: unknown) => say(`evidence is left in ${home}: ${String(error)}`));
  });
  // The registry serves before the router has a runtime that does.
  await eventuallyRight(router, small, 'evidence');
  const sample = await sampleOf(platform, small);
  const groupBytes = bytesOf(sample, 64);
  const plan = slicePlan(sizes.rows, rounds);
  const table = once(() => openTable(platform, sample, { ...options, rowsPerSlice: plan.rowsPerSlice }));
  const all = [
    routerCpu(router, small, { ...options, ...drain, routerPid }),
    durable(router, small, { ...options, ...drain, spoolFolder, groupBytes, routerPid }),
    spoolRate(router, small, { ...options, ...drain, feedbackMetricsPort, platformPid }),
    ingest(table, plan, say),
    labelJoin(table),
    getPrediction(table, { seconds: options.seconds, rows: sizes.rows }),
    databaseAway(router, small, { ...options, ...drain, ...place, platformPid, watched }),
  ];
  return all.filter(({ name }) => options.only.test(name)).map((scenario) => sayingWhy(scenario, say));
}

/** The tables of a feedback of the bench's own, for all rows that need them. */
async function openTable(
  { home, postgresPort, registryAddress }: MeasuredPlatform,
  sample: RecordSample,
  options: EvidenceRowsOptions & { readonly rowsPerSlice: number },
): Promise<FilledTable> {
  const { root, portOffset, rowsPerSlice } = options;
  const folder = path.join(options.folder, 'evidence');
  mkdirSync(folder, { recursive: true });
  const feedback = await OwnFeedback.start({ root, folder, home, postgresPort, portOffset, registryAddress });
  options.onStop(() =>
    feedback.stop().catch((error: unknown) => options.say(`a database is left in ${home}: ${String(error)}`)),
  );
  return FilledTable.open(feedback, sample, { folder, rowsPerSlice });
}

/** What the router captures of the model: an answer that it gives, and whose. */
async function sampleOf({ registryAddress, router }: MeasuredPlatform, small: Workload): Promise<RecordSample> {
  const { model } = small.plan;
  const registry = connect(registryAddress);
  const client = createRawClient(router.address);
  try {
    const { version } = await registry.getVersion({ model, version: small.version });
    const response = await new Promise<Buffer>((resolve, reject) => {
      const deadlineMs = Date.now() + 10_000;
      client.call(inferPath, small.checks[0]!.message, { deadlineMs }, ({ error, message }) =>
        message === undefined ? reject(error ?? new Error('no answer')) : resolve(message),
      );
    });
    return { model, version: Number(small.version), versionDigest: version!.digest, response };
  } finally {
    registry.close();
    client.close();
  }
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
