import { SluiceError } from '@sluice/domain/errors';
import type { ErasureOrder } from './erasure.ts';

const format = 'sluice erasure 1';
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** An order as it lies in the artifact store. It names no subject, and no key: only their hash and id. */
export function encodeDocument(order: ErasureOrder): string {
  const { number, erasureId, subjectHash, actor, reason, requestId, orderedMs, keyIds } = order;
  const document = {
    ...{ format, number, erasure_id: erasureId, ordered_at: new Date(orderedMs).toISOString() },
    ...{ subject_hash: subjectHash, key_ids: keyIds, request_id: requestId, actor, reason },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** @throws SluiceError data-loss when it is no such document: what it says would otherwise not be done */
export function decodeDocument(bytes: Uint8Array, path: string): ErasureOrder {
  try {
    return readDocument(JSON.parse(Buffer.from(bytes).toString()) as Record<string, unknown>);
  } catch (cause) {
    throw new SluiceError(
      'data-loss',
      `${path} is not an order to erase, as feedback writes them: put it back from a copy of the artifact store, or delete it if the order need not be kept`,
      { cause },
    );
  }
}

function readDocument(document: Record<string, unknown>): ErasureOrder {
  const text = (name: string, pattern = /^/): string => {
    const value = document[name];
    if (typeof value !== 'string' || !pattern.test(value)) throw new TypeError(`its ${name} is not as expected`);
    return value;
  };
  text('format', new RegExp(`^${format}$`));
  const { number, key_ids: keyIds } = document;
  if (!Number.isSafeInteger(number) || Number(number) < 1) throw new TypeError('its number is not as expected');
  if (!Array.isArray(keyIds) || !keyIds.every((id) => typeof id === 'string' && uuid.test(id)))
    throw new TypeError('its key_ids are not as expected');
  const orderedMs = Date.parse(text('ordered_at'));
  if (Number.isNaN(orderedMs)) throw new TypeError('its ordered_at is no time');
  return {
    ...{
      number: Number(number),
      erasureId: text('erasure_id', uuid),
      subjectHash: text('subject_hash', /^[0-9a-f]{64}$/),
    },
    ...{ keyIds: keyIds as string[], orderedMs, requestId: text('request_id') },
    ...{ actor: text('actor'), reason: text('reason') },
  };
}
