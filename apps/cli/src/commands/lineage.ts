import type { GetLineageRequest } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageRequest';
import type { GetLineageResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/GetLineageResponse';
import type { DataSetRef } from '@sluice/domain/data-set';
import { type CliContext, show } from '../context.ts';
import { usageError } from '../exit-codes.ts';
import { lineageTree } from '../lineage-tree.ts';
import { showPredictionLineage } from './prediction-lineage.ts';
import { numberOf } from './versions.ts';

export interface LineageFlags {
  readonly dataSet?: DataSetRef;
  readonly run?: string;
  readonly prediction?: string;
  /** Neither: both. */
  readonly up: boolean;
  readonly down: boolean;
  readonly depth: number;
  readonly nodes: number;
}

type Start = Pick<GetLineageRequest, 'version' | 'dataSet' | 'run'>;

/** `sluice lineage MODEL[:VERSION]`, `--data-set NAME@N`, `--run ID` or `--prediction ID`. */
export async function showLineage(context: CliContext, model: string | undefined, flags: LineageFlags): Promise<void> {
  const { depth, nodes: maxNodes, prediction } = flags;
  checkOneStart(model, flags);
  if (prediction !== undefined) {
    if (flags.down)
      throw usageError('nothing is made from a prediction', 'Without --down it shows where the prediction came from.');
    return showPredictionLineage(context, prediction, { depth, maxNodes });
  }
  const from = await startOf(context, model, flags);
  const ask = (direction: 'LINEAGE_DIRECTION_UP' | 'LINEAGE_DIRECTION_DOWN') =>
    context.services.lineage.getLineage({ ...from, direction, depth, maxNodes }, { signal: context.signal });
  const up = flags.up || !flags.down ? await ask('LINEAGE_DIRECTION_UP') : null;
  const down = flags.down || !flags.up ? await ask('LINEAGE_DIRECTION_DOWN') : null;
  show(context, { up, down }, () => [...part(up, 'up'), ...part(down, 'down')].join('\n'));
}

function checkOneStart(model: string | undefined, { dataSet, run, prediction }: LineageFlags): void {
  if ([model, dataSet, run, prediction].filter((given) => given !== undefined).length === 1) return;
  throw usageError('name one thing', 'Give MODEL[:VERSION], --data-set NAME@N, --run ID or --prediction ID.');
}

/** The one thing that is named, of those that the registry knows. */
async function startOf(context: CliContext, model: string | undefined, flags: LineageFlags): Promise<Start> {
  const { dataSet, run } = flags;
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
