import type { PayloadCipher, Sealed } from '../payloads/payload-cipher.ts';
import { contentDigest } from './digest.ts';
import type { Item } from './item.ts';
import type { ItemIds } from './item-ids.ts';
import type { Prediction } from './place-item.ts';
import type { FeedbackRow, LabelTransaction } from './ports.ts';
import { textMs } from './times.ts';

interface Ports {
  readonly tx: Pick<LabelTransaction, 'now'>;
  readonly cipher: Pick<PayloadCipher, 'sealFor'>;
  readonly ids: ItemIds;
  readonly nowMs: number;
}

interface Placed {
  readonly item: Item;
  readonly prediction: Prediction;
}

/** Rows of feedback in the order of the items. Texts are sealed for the subject of their prediction, or left out where it is erased. */
export async function feedbackRows(
  { tx, cipher, ids, nowMs }: Ports,
  placed: readonly Placed[],
): Promise<FeedbackRow[]> {
  const feedbackIds = placed.map(() => ids.next(nowMs));
  const texts = placed.flatMap(({ item: { payload, recordedAt }, prediction }, index) =>
    payload === undefined
      ? []
      : [
          {
            index,
            seal: {
              ...{ subject: subjectOf(prediction), bytes: payload, context: `feedback/${feedbackIds[index]!}` },
              // One that waited was made when it came.
              madeMs: textMs(recordedAt ?? tx.now),
            },
          },
        ],
  );
  const sealed = texts.length === 0 ? [] : await cipher.sealFor(texts.map(({ seal }) => seal));
  const byIndex = new Map<number, Sealed | undefined>(texts.map(({ index }, at) => [index, sealed[at]]));
  return placed.map(({ item, prediction }, index) => {
    const own = byIndex.get(index);
    const isErased = item.payload !== undefined && own === undefined;
    return {
      ...{ feedbackId: feedbackIds[index]!, class: prediction.class, predictionId: prediction.predictionId, item },
      model: prediction.answers[0]!.model,
      // Of a text that must not be known nothing is kept that could tell it.
      digest: contentDigest(item, own?.mark),
      recordedAt: item.recordedAt ?? tx.now,
      payloadState: item.payload === undefined ? 'none' : isErased ? 'erased' : 'kept',
      ...{ payload: own?.bytes, payloadKeyId: own?.keyId },
    };
  });
}

/** All records of a prediction are of one subject. */
const subjectOf = ({ answers }: Prediction): string => answers.find(({ subject }) => subject !== '')?.subject ?? '';
