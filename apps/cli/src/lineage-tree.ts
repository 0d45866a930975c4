import type { GetLineageResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageResponse';
import type { LineageEdge__Output } from '@sluice/contracts/gen/sluice/registry/v1/LineageEdge';
import type { LineageNode__Output } from '@sluice/contracts/gen/sluice/registry/v1/LineageNode';
import type { LineageRelation } from '@sluice/contracts/gen/sluice/registry/v1/LineageRelation';
import { printable, showEnum, showTime } from './format.ts';

type Direction = 'up' | 'down';

/** A relation as it is read from the thing above it in the tree to the one below. */
const words: Readonly<Record<keyof typeof LineageRelation, Readonly<Record<Direction, string>>>> = {
  LINEAGE_RELATION_UNSPECIFIED: { up: 'from', down: 'to' },
  LINEAGE_RELATION_MADE_BY: { up: 'made by run', down: 'made' },
  LINEAGE_RELATION_TRAINED_ON: { up: 'trained on', down: 'trained' },
  LINEAGE_RELATION_DERIVED_FROM: { up: 'derived from', down: 'became part of' },
  LINEAGE_RELATION_READ: { up: 'read', down: 'read by run' },
  LINEAGE_RELATION_SERVED: { up: 'served', down: 'served in release' },
};

/** A graph of lineage as a tree, a line each: what is reached by several ways has what is below it once, the first time. */
export function lineageTree({ nodes, edges }: GetLineageResponse__Output, direction: Direction): readonly string[] {
  const lines = [describe(nodes[0]!)];
  const shown = new Set([0]);
  const below = Map.groupBy(edges, (edge) => nearOf(edge, direction));
  const add = (at: number, indent: string): void => {
    const steps = below.get(at) ?? [];
    for (const [place, step] of steps.entries()) {
      const isLast = place === steps.length - 1;
      const far = direction === 'up' ? step.parent : step.child;
      const again = shown.has(far);
      const has = again && below.has(far) ? '  (see above)' : '';
      lines.push(`${indent}${isLast ? '└─' : '├─'} ${wordOf(step, direction)} ${describe(nodes[far]!)}${has}`);
      if (again) continue;
      shown.add(far);
      add(far, `${indent}${isLast ? '   ' : '│  '}`);
    }
  };
  add(0, '');
  return lines;
}

const nearOf = ({ child, parent }: LineageEdge__Output, direction: Direction): number =>
  direction === 'up' ? child : parent;

/** A relation that only a later registry knows still has its ends. */
const wordOf = ({ relation }: LineageEdge__Output, direction: Direction): string =>
  (words[relation] as (typeof words)[keyof typeof words] | undefined)?.[direction] ??
  words.LINEAGE_RELATION_UNSPECIFIED[direction];

function describe({ what, version, dataSet, run, release }: LineageNode__Output): string {
  if (what === 'version' && version) {
    const state = showEnum(version.state, 'VERSION_STATE');
    return printable(`${version.model}:${version.version}  ${state}, ${showTime(version.createdAt)}`);
  }
  if (what === 'dataSet' && dataSet) {
    const { location } = dataSet;
    return printable(
      `${dataSet.dataSet}@${dataSet.version}  ${dataSet.digest.slice(0, 12)}${location && `, ${location}`}`,
    );
  }
  if (what === 'run' && run) {
    const state = showEnum(run.state, 'RUN_STATE');
    return printable(`${run.id}  ${state}, for ${showTime(run.scheduledTime)}, attempt ${run.attempt}`);
  }
  if (what === 'release' && release) {
    const until = release.to ? `to ${showTime(release.to)}` : 'and rules now';
    const kind = `${showEnum(release.mode, 'RELEASE_MODE')}${release.implicit ? ', implicit' : ''}`;
    return printable(`${release.id}  ${kind}, from ${showTime(release.from)} ${until}`);
  }
  return 'something that this program does not know';
}
