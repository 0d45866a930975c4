import { failedPrecondition } from '@sluice/domain/errors';
import type { ErasureDocuments, ErasureOrder, Erasures } from './erasure.ts';

export interface PublishPorts {
  readonly erasures: Erasures;
  readonly documents: ErasureDocuments;
}

const ordersAtOnce = 100;

/**
 * Takes up orders that the artifact store has and the database has lost: it was put back from a backup. To be done before anything is
 * served.
 *
 * @returns how many there were
 */
export async function takeUpErasures({ erasures, documents }: PublishPorts): Promise<number> {
  let taken = 0;
  for await (const order of documents.after(await erasures.last())) if (await erasures.reapply(order)) taken += 1;
  return taken;
}

/**
 * Finds orders that the artifact store had and has lost, or has others in the place of: both come of a store that was put back, or was away
 * while a database was. They are written again with those that were never there; the others are followed. To be done before anything is
 * served.
 *
 * @returns how many there were
 */
export async function checkDocuments({ erasures, documents }: PublishPorts): Promise<number> {
  let lost = 0;
  for (let after = 0; ;) {
    const orders = await erasures.withDocument(after, ordersAtOnce);
    const there = await Promise.all(orders.map(({ number }) => documents.read(number)));
    const missing = orders
      .filter(({ erasureId }, at) => there[at]?.erasureId !== erasureId)
      .map(({ number }) => number);
    for (const other of there) if (other && missing.includes(other.number)) await erasures.reapply(other);
    if (missing.length > 0) await erasures.loseDocuments(missing);
    lost += missing.length;
    if (orders.length < ordersAtOnce) return lost;
    after = orders.at(-1)!.number;
  }
}

/** Writes orders to the artifact store that are not there yet: in their order, so that the store has all before any that it has. */
export async function writeDocuments({ erasures, documents }: PublishPorts): Promise<void> {
  for (;;) {
    const orders = await erasures.withoutDocument(ordersAtOnce);
    for (const order of orders) {
      const other = await documents.write(order);
      if (other) await makeRoom({ erasures, documents }, other, order);
      await erasures.setDocument(order.number);
    }
    if (orders.length < ordersAtOnce) return;
  }
}

/** The store has an order under the number of another one, which the database has lost: it is followed, and kept under the next number. */
async function makeRoom({ erasures, documents }: PublishPorts, other: ErasureOrder, order: ErasureOrder) {
  await erasures.reapply(other);
  const kept = (await erasures.find(other.erasureId))!;
  if (await documents.write(kept))
    throw failedPrecondition(
      `the artifact store has other orders than the database with the numbers ${order.number} and ${kept.number}: stop all replicas, and start one, which takes up what the database has lost`,
    );
  await erasures.setDocument(kept.number);
  await documents.replace(order);
}
