import type { DataSet } from '@sluice/contracts/gen/sluice/registry/v1/DataSet';
import type { DataSetVersion } from '@sluice/contracts/gen/sluice/registry/v1/DataSetVersion';
import type { GetLineageResponse } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageResponse';
import type { LineageNode as LineageNodeMessage } from '@sluice/contracts/gen/sluice/registry/v1/LineageNode';
import type { Run } from '@sluice/contracts/gen/sluice/registry/v1/Run';
import type { RunState } from '@sluice/domain/run';
import type { Lineage, LineageNode } from '../usecases/get-lineage.ts';
import type { DataSetRecord, DataSetVersionRecord, LineageRelation, RunRecord } from '../usecases/provenance.ts';
import { releaseModes, versionStates } from './encode.ts';
import { timestamp, timestampOrNull } from './scalars.ts';

const runStates = {
  running: 'RUN_STATE_RUNNING',
  succeeded: 'RUN_STATE_SUCCEEDED',
  failed: 'RUN_STATE_FAILED',
} as const satisfies Record<RunState, string>;

const relations = {
  'made-by': 'LINEAGE_RELATION_MADE_BY',
  'trained-on': 'LINEAGE_RELATION_TRAINED_ON',
  'derived-from': 'LINEAGE_RELATION_DERIVED_FROM',
  read: 'LINEAGE_RELATION_READ',
  served: 'LINEAGE_RELATION_SERVED',
} as const satisfies Record<LineageRelation, string>;

export const encodeDataSet = ({ createdAt, ...dataSet }: DataSetRecord): DataSet => ({
  ...{ ...dataSet, createdAt: timestamp(createdAt) },
});

export function encodeDataSetVersion({ createdAt, rowCount, ...version }: DataSetVersionRecord): DataSetVersion {
  return {
    ...version,
    columns: [...version.columns],
    parents: [...version.parents],
    createdAt: timestamp(createdAt),
    ...(rowCount === undefined ? {} : { rowCount }),
  };
}

export function encodeRun(run: RunRecord): Run {
  const { id, pipeline, attempt, error, startedBy, endedBy, revision } = run;
  return {
    ...{ id, pipeline, attempt, error, startedBy, endedBy, revision },
    scheduledTime: timestamp(run.scheduledAt),
    state: runStates[run.state],
    startedAt: timestamp(run.startedAt),
    endedAt: timestampOrNull(run.endedAt),
    inputs: [...run.inputs],
    outputs: [...run.outputs],
    versions: [...run.versions],
  };
}

export function encodeLineage({ nodes, edges, more }: Lineage): GetLineageResponse {
  return {
    nodes: nodes.map(encodeNode),
    edges: edges.map((edge) => ({ ...edge, relation: relations[edge.relation] })),
    more,
  };
}

function encodeNode({ depth, thing }: LineageNode): LineageNodeMessage {
  switch (thing.kind) {
    case 'version': {
      const { model, version, digest } = thing;
      const state = versionStates[thing.state];
      return { depth, version: { model, version, digest, state, createdAt: timestamp(thing.createdAt) } };
    }
    case 'data-set': {
      const { dataSet, version, digest, location } = thing;
      return { depth, dataSet: { dataSet, version, digest, location, createdAt: timestamp(thing.createdAt) } };
    }
    case 'run': {
      const { id, pipeline, attempt } = thing;
      const scheduledTime = timestamp(thing.scheduledAt);
      return { depth, run: { id, pipeline, attempt, scheduledTime, state: runStates[thing.state] } };
    }
    case 'release': {
      const { id, model, implicit } = thing;
      const mode = releaseModes[thing.mode];
      return {
        depth,
        release: { id, model, implicit, mode, from: timestamp(thing.from), to: timestampOrNull(thing.to) },
      };
    }
  }
}
