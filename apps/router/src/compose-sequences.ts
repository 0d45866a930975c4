import type { Clock } from '@sluice/domain/clock';
import { defaultLimits } from '@sluice/rpc/link/peer';
import type { SendingOptions } from './route/forward.ts';
import { findModel, quarantineOf } from './route/resolve.ts';
import { findSequence } from './route/sequences/search.ts';
import { Sequences } from './route/sequences/sequences.ts';
import { targetOf } from './route/table.ts';
import type { RouteTable } from './route/table.ts';
import { locateSequence } from './rpc/locate-sequence.ts';
import type { Fleet } from './runtimes/fleet.ts';

/** Room for the version that is written behind a message. */
const overrideBytes = 64;

/** What keeps sequences on their runtimes. */
export function composeSequences(
  config: { readonly maxSequences: number },
  clock: Clock,
  parts: { readonly sending: SendingOptions; readonly fleet: Fleet; readonly table: () => RouteTable | undefined },
): Sequences {
  const { sending, fleet, table } = parts;
  const search = { clock, links: () => fleet.links, locate: locateSequence };
  return new Sequences({
    ...sending,
    clock,
    maxSequences: config.maxSequences,
    // Larger ones go in chunks.
    orderedBytes: defaultLimits.chunkBytes - overrideBytes,
    async find(question, key) {
      findModel(table(), question.model);
      return findSequence(search, question, key);
    },
    quarantineOf: (version) => quarantineOf(table(), version),
    destination: (model, number) => table()?.models.get(model)?.placed.get(number) ?? targetOf(model, number),
  });
}
