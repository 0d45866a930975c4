import { randomUUID } from 'node:crypto';
import type { Run__Output } from '@sluice/contracts/gen/sluice/registry/v1/Run';
import type { RunState } from '@sluice/contracts/gen/sluice/registry/v1/RunState';
import type { DataSetRef, VersionRef } from '@sluice/domain/data-set';
import { type CliContext, show } from '../context.ts';
import { showEnum, showFields, showTable, showTime } from '../format.ts';
import { timeOf } from './aliases.ts';
import { refs } from './data-sets.ts';

export interface StartFlags {
  readonly scheduled?: string;
  readonly attempt: number;
  readonly input?: readonly DataSetRef[];
}

/** `sluice run start PIPELINE` */
export async function startRun(context: CliContext, pipeline: string, flags: StartFlags): Promise<void> {
  const scheduledTime = timeOf(flags.scheduled ?? new Date(context.clock.now()).toISOString());
  const { attempt, input = [] } = flags;
  const request = { pipeline, scheduledTime, attempt, inputs: [...input], requestId: randomUUID() };
  const { run } = await context.services.runs.startRun(request, { signal: context.signal });
  show(context, run, () => `${run!.id} has begun\n  next: sluice run end ${run!.id}`);
}

export interface EndFlags {
  /** True when it failed without a word. */
  readonly failed?: string | true;
  readonly input?: readonly DataSetRef[];
  readonly output?: readonly DataSetRef[];
  readonly modelVersion?: readonly VersionRef[];
}

/** `sluice run end ID` */
export async function endRun(context: CliContext, id: string, flags: EndFlags): Promise<void> {
  const { failed, input = [], output = [], modelVersion = [] } = flags;
  const state: keyof typeof RunState = failed === undefined ? 'RUN_STATE_SUCCEEDED' : 'RUN_STATE_FAILED';
  const request = {
    ...{ run: id, state, error: typeof failed === 'string' ? failed : '' },
    ...{ inputs: [...input], outputs: [...output], versions: [...modelVersion] },
  };
  const { run } = await context.services.runs.endRun(request, { signal: context.signal });
  show(context, run, () => describe(run!));
}

const states = {
  running: 'RUN_STATE_RUNNING',
  succeeded: 'RUN_STATE_SUCCEEDED',
  failed: 'RUN_STATE_FAILED',
} as const;

/** `sluice run list [PIPELINE]`: the newest. */
export async function listRuns(
  context: CliContext,
  pipeline: string,
  { state, limit }: { readonly state?: string; readonly limit: number },
): Promise<void> {
  const found: Run__Output[] = [];
  const ofState = state === undefined ? {} : { state: states[state as keyof typeof states] };
  for (let pageToken = ''; ;) {
    const pageSize = Math.min(1000, limit - found.length);
    const request = { pipeline, pageToken, pageSize, ...ofState };
    const page = await context.services.runs.listRuns(request, { signal: context.signal });
    found.push(...page.runs);
    pageToken = page.nextPageToken;
    if (pageToken === '' || found.length >= limit) break;
  }
  show(context, found, () =>
    found.length === 0
      ? 'no such runs'
      : showTable(
          ['run', 'scheduled', 'attempt', 'state', 'began', 'ended', 'by', 'why failed'],
          found.map((run) => [
            ...[run.id, showTime(run.scheduledTime), run.attempt, showEnum(run.state, 'RUN_STATE')],
            ...[showTime(run.startedAt), showTime(run.endedAt), run.startedBy, run.error],
          ]),
        ),
  );
}

/** `sluice run show ID` */
export async function showRun(context: CliContext, id: string): Promise<void> {
  const { run } = await context.services.runs.getRun({ run: id }, { signal: context.signal });
  show(context, run, () => describe(run!));
}

function describe(run: Run__Output): string {
  return showFields([
    ['run', run.id],
    ['pipeline', `${run.pipeline}, scheduled ${showTime(run.scheduledTime)}, attempt ${run.attempt}`],
    ['state', showEnum(run.state, 'RUN_STATE')],
    ['why failed', run.error],
    ['began', `${showTime(run.startedAt)} by ${run.startedBy}`],
    ['ended', run.endedAt ? `${showTime(run.endedAt)} by ${run.endedBy}` : ''],
    ['read', refs(run.inputs).join('\n')],
    ['made', [...refs(run.outputs), ...run.versions.map(({ model, version }) => `${model}:${version}`)].join('\n')],
  ]);
}
