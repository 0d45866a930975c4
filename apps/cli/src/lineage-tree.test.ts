import type { GetLineageResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageResponse';
import type { LineageNode__Output } from '@sluice/contracts/gen/sluice/registry/v1/LineageNode';
import type { LineageRelease__Output } from '@sluice/contracts/gen/sluice/registry/v1/LineageRelease';
import { describe, expect, it } from 'vitest';
import { lineageTree } from './lineage-tree.ts';

const at = { seconds: '1790000000', nanos: 0 };
const when = '2026-09-21 14:13:20Z';
const dataSet = (name: string, location = ''): LineageNode__Output => ({
  ...{ depth: 0, what: 'dataSet' },
  dataSet: { dataSet: name, version: '1', digest: 'd'.repeat(64), location, createdAt: at },
});
const nodes: LineageNode__Output[] = [
  {
    ...{ depth: 0, what: 'version' },
    version: { model: 'm', version: '3', digest: 'd', state: 'VERSION_STATE_READY', createdAt: at },
  },
  {
    ...{ depth: 1, what: 'run' },
    run: { id: 'train@9', pipeline: 'train', scheduledTime: at, attempt: 2, state: 'RUN_STATE_SUCCEEDED' },
  },
  dataSet('table', 's3://b/t.csv'),
  dataSet('raw\u001b[2J'),
];
const edge = (child: number, relation: string, parent: number) =>
  ({ child, parent, relation: `LINEAGE_RELATION_${relation}` }) as GetLineageResponse__Output['edges'][number];
const digest = 'd'.repeat(12);

describe('a tree of lineage', () => {
  it('has every step once, and what is reached again without what is below it', () => {
    const edges = [
      ...[edge(0, 'MADE_BY', 1), edge(0, 'TRAINED_ON', 2), edge(1, 'READ', 2)],
      ...[edge(2, 'DERIVED_FROM', 3), edge(1, 'READ', 3)],
    ];
    expect(lineageTree({ nodes, edges, more: false }, 'up')).toEqual([
      `m:3  ready, ${when}`,
      `├─ made by run train@9  succeeded, for ${when}, attempt 2`,
      `│  ├─ read table@1  ${digest}, s3://b/t.csv`,
      `│  │  └─ derived from raw [2J@1  ${digest}`,
      `│  └─ read raw [2J@1  ${digest}`,
      `└─ trained on table@1  ${digest}, s3://b/t.csv  (see above)`,
    ]);
  });

  it('reads downwards in its own words, releases too, and what only a later registry knows', () => {
    const rules = { id: 'm@20', model: 'm', mode: 'RELEASE_MODE_AB', implicit: false, from: at, to: null } as const;
    const served = (release: LineageRelease__Output): LineageNode__Output => ({
      depth: 3,
      what: 'release',
      release,
    });
    const below: LineageNode__Output[] = [
      ...[nodes[2]!, nodes[1]!, nodes[0]!, served(rules)],
      served({ ...rules, id: 'm@7', implicit: true, to: at }),
      { depth: 4 },
    ];
    const edges = [
      ...[edge(1, 'READ', 0), edge(2, 'MADE_BY', 1), edge(3, 'SERVED', 2), edge(4, 'SERVED', 2)],
      ...[edge(5, 'LATER', 4), edge(2, 'TRAINED_ON', 0)],
    ];
    expect(lineageTree({ nodes: below, edges, more: false }, 'down')).toEqual([
      `table@1  ${digest}, s3://b/t.csv`,
      `├─ read by run train@9  succeeded, for ${when}, attempt 2`,
      `│  └─ made m:3  ready, ${when}`,
      `│     ├─ served in release m@20  ab, from ${when} and rules now`,
      `│     └─ served in release m@7  ab, implicit, from ${when} to ${when}`,
      `│        └─ to something that this program does not know`,
      `└─ trained m:3  ready, ${when}  (see above)`,
    ]);
  });
});
