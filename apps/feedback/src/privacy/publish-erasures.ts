import type { ErasureDocuments, Erasures } from './erasure.ts';

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

/** Writes orders to the artifact store that are not there yet: in their order, so that the store has all before any that it has. */
export async function writeDocuments({ erasures, documents }: PublishPorts): Promise<void> {
  for (;;) {
    const orders = await erasures.withoutDocument(ordersAtOnce);
    for (const order of orders) {
      await documents.write(order);
      await erasures.setDocument(order.number);
    }
    if (orders.length < ordersAtOnce) return;
  }
}
