import { type CliContext, show } from '../context.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';

export interface FeedbackFlags {
  readonly model: string;
  readonly source: string;
  readonly row?: number;
  readonly rating?: number;
  readonly reward?: number;
  readonly correction?: string;
  readonly correctionNumber?: number;
  readonly text?: string;
  readonly jsonValue?: string;
}

/** `sluice feedback PREDICTION`: an item for each thing that is said. */
export async function giveFeedback(context: CliContext, prediction: string, flags: FeedbackFlags): Promise<void> {
  const { model, source, row, rating, reward, correction, correctionNumber, text, jsonValue } = flags;
  const contents = [
    ...(rating === undefined ? [] : [{ rating }]),
    ...(reward === undefined ? [] : [{ reward }]),
    ...(correction === undefined ? [] : [{ correction: { name: correction } }]),
    ...(correctionNumber === undefined ? [] : [{ correction: { number: correctionNumber } }]),
    ...(text === undefined ? [] : [{ text }]),
    ...(jsonValue === undefined ? [] : [{ json: jsonValue }]),
  ];
  if (contents.length === 0)
    throw usageError('nothing is said', 'Give --rating, --reward, --correction, --text or --json-value.');
  const address = model === '' ? { predictionId: prediction } : { model, requestId: prediction };
  const items = contents.map((content) => ({ ...address, source, ...(row !== undefined && { row }), ...content }));
  const { answers } = await context.services.labels.recordFeedback({ items }, { signal: context.signal });
  const said = answers.map(({ result, ...answer }, index) => ({
    kind: Object.keys(contents[index]!)[0]!,
    result: result.replace('ITEM_RESULT_', '').toLowerCase(),
    ...answer,
  }));
  show(context, said, () => said.map(lineOf).join('\n'));
  const refused = said.find(({ result }) => result === 'refused');
  if (refused) throw new CliError(exitCodes.refused, `${refused.kind} was refused: ${refused.reason}`);
}

function lineOf({
  kind,
  result,
  predictionIds,
  waitsUntil,
}: {
  readonly kind: string;
  readonly result: string;
  readonly predictionIds: readonly string[];
  readonly waitsUntil: { readonly seconds: string | number } | null;
}): string {
  const until = waitsUntil ? ` until ${new Date(Number(waitsUntil.seconds) * 1_000).toISOString()}` : '';
  return `${kind}: ${result}${until}${predictionIds.length > 0 ? `, prediction ${predictionIds.join(', ')}` : ''}`;
}
