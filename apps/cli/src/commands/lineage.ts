import type { GetLineageRequest } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageRequest';
import type { GetLineageResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageResponse';
import type { DataSetRef } from '@sluice/domain/data-set';
import { type CliContext, show } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { lineageTree } from '../lineage-tree.ts';
import { numberOf } from './versions.ts';

export interface LineageFlags {
  readonly dataSet?: DataSetRef;
  readonly run?: string;
  /** Neither: both. */
  readonly up: boolean;
  readonly down: boolean;
  readonly depth: number;
  readonly nodes: number;
}

type Start = Pick<GetLineageRequest, 'version' | 'dataSet' | 'run'>;

/** `sluice lineage MODEL[:VERSION]`, `--data-set NAME@N` or `--run ID`. */
export async function showLineage(context: CliContext, model: string | undefined, flags: LineageFlags): Promise<void> {
  const { depth, nodes: maxNodes } = flags;
  const from = await startOf(context, model, flags);
  const ask = (direction: 'LINEAGE_DIRECTION_UP' | 'LINEAGE_DIRECTION_DOWN') =>
    context.services.lineage.getLineage({ ...from, direction, depth, maxNodes }, { signal: context.signal });
  const up = flags.up || !flags.down ? await ask('LINEAGE_DIRECTION_UP') : null;
  const down = flags.down || !flags.up ? await ask('LINEAGE_DIRECTION_DOWN') : null;
  show(context, { up, down }, () => [...part(up, 'up'), ...part(down, 'down')].join('\n'));
}

/** The one thing that is named. Others, such as the version that made a prediction, would be found out here. */
async function startOf(context: CliContext, model: string | undefined, flags: LineageFlags): Promise<Start> {
  const { dataSet, run } = flags;
  if ([model, dataSet, run].filter((given) => given !== undefined).length !== 1) {
    throw usageError('name one thing', 'Give MODEL[:VERSION], --data-set NAME@N or --run ID.');
  }
  if (run !== undefined) return { run };
  if (dataSet !== undefined) return { dataSet: dataSet.version > 0 ? dataSet : await newest(context, dataSet.dataSet) };
  const [name = '', version = 'champion', ...rest] = model!.split(':');
  if (rest.length > 0)
    throw usageError(`"${model!}" is not MODEL[:VERSION]`, 'Give a model, or a model and a version.');
  return { version: { model: name, version: await numberOf(context, name, version) } };
}

async function newest(context: CliContext, dataSet: string): Promise<{ dataSet: string; version: string }> {
  const { version } = await context.services.dataSets.getDataSetVersion({ dataSet }, { signal: context.signal });
  return { dataSet, version: version!.number };
}

function part(lineage: GetLineageResponse__Output | null, direction: 'up' | 'down'): readonly string[] {
  if (!lineage) return [];
  const heading = direction === 'up' ? 'came from' : 'reached';
  const more = lineage.more ? ['… there is more: --depth and --nodes show more of it'] : [];
  return [`${heading}:`, ...lineageTree(lineage, direction), ...more];
}
