import type { SpoolStatus } from '@sluice/evidence/spool/contract';
import type { InFlight } from './route/in-flight.ts';
import type { Shadows } from './route/shadows.ts';
import type { ModelRoute, RouteTable } from './route/table.ts';
import type { Breakers } from './runtimes/breakers.ts';
import type { Fleet } from './runtimes/fleet.ts';
import type { RuntimeLink } from './runtimes/runtime-link.ts';

export interface AdminSources {
  readonly table: () => RouteTable | undefined;
  readonly fleet: Fleet;
  readonly breakers: Breakers;
  readonly inFlight: InFlight;
  /** Sequences whose runtime is known. */
  readonly sequences: () => number;
  readonly shadows: Pick<Shadows, 'waiting' | 'inFlight' | 'bytes' | 'dropped'>;
  readonly retryTokens: () => number;
  readonly registry: () => { readonly watching: boolean; readonly leaseHeld: boolean };
  /** Undefined when no evidence is kept. */
  readonly evidence: () =>
    | {
        readonly sending: boolean;
        readonly spool: SpoolStatus;
        readonly erasures: { readonly told: number; readonly followed: number };
      }
    | undefined;
  readonly ready: () => boolean;
}

const byName = <Item>(items: Iterable<Item>, name: (item: Item) => string): Item[] =>
  [...items].sort((one, other) => (name(one) < name(other) ? -1 : 1));

/** What GetState shows of the router; the README describes the fields. Lists are in the order of their names. */
export function adminState(sources: AdminSources): Readonly<Record<string, unknown>> {
  const table = sources.table();
  const { inFlight, shadows } = sources;
  return {
    ready: sources.ready(),
    registry: sources.registry(),
    revision: table?.revision ?? null,
    models: byName(table?.models.values() ?? [], (model) => model.name).map((model) =>
      modelState(model, sources.fleet),
    ),
    runtimes: byName(sources.fleet.links, (link) => link.address).map((link) => runtimeState(link, sources.breakers)),
    inFlight: { requests: inFlight.requests, bytes: inFlight.bytes, turnedAway: inFlight.turnedAway },
    sequences: sources.sequences(),
    shadows: {
      ...{ waiting: shadows.waiting, inFlight: shadows.inFlight, bytes: shadows.bytes },
      dropped: { ...shadows.dropped },
    },
    retryTokens: sources.retryTokens(),
    evidence: sources.evidence() ?? null,
  };
}

function modelState(model: ModelRoute, fleet: Fleet): Readonly<Record<string, unknown>> {
  return {
    name: model.name,
    revision: model.revision,
    aliases: Object.fromEntries(model.aliases),
    release: model.release?.release ?? null,
    placed: [...model.placed.values()]
      .sort((one, other) => one.number - other.number)
      .map((version) => ({
        version: version.number,
        digest: version.digest,
        readyOn: fleet
          .readyFor(version.key)
          .map((link) => link.address)
          .sort(),
      })),
    unplaced: [...model.unplaced],
    quarantined: Object.fromEntries(model.quarantined),
  };
}

function runtimeState(link: RuntimeLink, breakers: Breakers): Readonly<Record<string, unknown>> {
  return {
    address: link.address,
    runtimeId: link.runtimeId,
    state: link.state,
    ready: [...link.ready],
    inFlight: link.inFlight,
    breakers: breakers.states(link),
  };
}
