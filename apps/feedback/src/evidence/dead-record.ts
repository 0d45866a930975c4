import type { DeadLetter, DeadReason, EvidenceItem } from './item.ts';
import { soloBlock } from './solo-block.ts';

/** The dead letter of one record: its bytes as they came, apart from those beside it. */
export function deadRecord(item: EvidenceItem, reason: DeadReason, detail: string): DeadLetter {
  return {
    ...{ kind: 'record', reason, detail, origin: item.origin },
    bytes: soloBlock(item.block, item.index),
    predictionId: item.record.predictionId,
    model: item.record.context.model,
    record: item.record,
  };
}
