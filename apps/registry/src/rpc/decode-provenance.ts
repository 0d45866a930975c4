import type { DataSetRef__Output } from '@sluice/contracts/gen/sluice/registry/v1/DataSetRef';
import type { GetLineageRequest__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageRequest';
import type { LineageDirection as DirectionMessage } from '@sluice/contracts/gen/sluice/registry/v1/LineageDirection';
import type { RunState as RunStateMessage } from '@sluice/contracts/gen/sluice/registry/v1/RunState';
import type { VersionRef__Output } from '@sluice/contracts/gen/sluice/registry/v1/VersionRef';
import type { DataSetRef, VersionRef } from '@sluice/domain/data-set';
import { invalidArgument } from '@sluice/domain/errors';
import type { RunEnd, RunState } from '@sluice/domain/run';
import type { LineageDirection, LineageKey } from '../usecases/provenance.ts';
import { readVersion } from './scalars.ts';

export const decodeDataSetRefs = (refs: readonly DataSetRef__Output[], field: string): readonly DataSetRef[] =>
  refs.map((ref, index) => decodeDataSetRef(ref, `${field}[${index}]`));

const decodeDataSetRef = ({ dataSet, version }: DataSetRef__Output, field: string): DataSetRef => ({
  ...{ dataSet, version: readVersion(version, `${field}.version`) },
});

export const decodeVersionRefs = (refs: readonly VersionRef__Output[], field: string): readonly VersionRef[] =>
  refs.map((ref, index) => decodeVersionRef(ref, `${field}[${index}]`));

const decodeVersionRef = ({ model, version }: VersionRef__Output, field: string): VersionRef => ({
  ...{ model, version: readVersion(version, `${field}.version`) },
});

const runStates: Readonly<Record<keyof typeof RunStateMessage, RunState | undefined>> = {
  RUN_STATE_UNSPECIFIED: undefined,
  RUN_STATE_RUNNING: 'running',
  RUN_STATE_SUCCEEDED: 'succeeded',
  RUN_STATE_FAILED: 'failed',
};

/** A state that runs are asked for by; undefined for all. */
export function decodeRunState(state: keyof typeof RunStateMessage): RunState | undefined {
  if (Object.hasOwn(runStates, state)) return runStates[state];
  throw invalidArgument(`state: ${state} given; expected running, succeeded or failed`);
}

export function decodeRunEnd(state: keyof typeof RunStateMessage): RunEnd {
  const end = decodeRunState(state);
  if (end === 'succeeded' || end === 'failed') return end;
  throw invalidArgument(`state: ${end ?? 'missing'}; expected succeeded or failed`);
}

const directions: Readonly<Record<keyof typeof DirectionMessage, LineageDirection | undefined>> = {
  LINEAGE_DIRECTION_UNSPECIFIED: undefined,
  LINEAGE_DIRECTION_UP: 'up',
  LINEAGE_DIRECTION_DOWN: 'down',
};

export function decodeDirection(direction: keyof typeof DirectionMessage): LineageDirection {
  const known = Object.hasOwn(directions, direction) ? directions[direction] : undefined;
  if (known !== undefined) return known;
  throw invalidArgument(`direction: ${direction} given; expected up or down`);
}

/** Where a graph of lineage begins. */
export function decodeStart({ from, version, dataSet, run }: GetLineageRequest__Output): LineageKey {
  if (from === 'version' && version) return { kind: 'version', ...decodeVersionRef(version, 'version') };
  if (from === 'dataSet' && dataSet) return { kind: 'data-set', ...decodeDataSetRef(dataSet, 'data_set') };
  if (from === 'run' && run !== undefined) return { kind: 'run', id: run };
  throw invalidArgument('from: missing; expected a version, a data set version or a run');
}
