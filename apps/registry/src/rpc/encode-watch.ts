import type { Assignment } from '@sluice/contracts/gen/sluice/registry/v1/Assignment';
import type { ModelRoute } from '@sluice/contracts/gen/sluice/registry/v1/ModelRoute';
import type { WatchAssignmentsResponse } from '@sluice/contracts/gen/sluice/registry/v1/WatchAssignmentsResponse';
import type { WatchRoutesResponse } from '@sluice/contracts/gen/sluice/registry/v1/WatchRoutesResponse';
import type { WatchEvent } from '../usecases/watch.ts';
import { defaultPool } from '../usecases/watch.ts';
import type { ModelState, PlacedVersion } from '../watch/desired-state.ts';
import { leftSince } from '../watch/desired-state.ts';
import { encodeAlias, encodeRelease, encodeRuntimeLease, encodeServing, encodeSignature } from './encode.ts';

// A model's state never changes once it is published, so that every watcher shares one message.
const routes = new WeakMap<ModelState, ModelRoute>();
const assignments = new WeakMap<ModelState, Assignment[]>();

export function encodeRoutes(event: WatchEvent, protocolVersion: number): WatchRoutesResponse {
  return {
    resumeToken: event.update.token,
    snapshot: event.update.snapshot,
    models: event.update.models.map(routeOf),
    removed: [],
    runtimes: event.runtimes
      ? { runtimes: event.runtimes.map((lease) => encodeRuntimeLease({ ...lease, versions: [] })) }
      : null,
    protocolVersion,
  };
}

export function encodeAssignments(event: WatchEvent, pool: string, protocolVersion: number): WatchAssignmentsResponse {
  const mine = pool === defaultPool;
  return {
    resumeToken: event.update.token,
    snapshot: event.update.snapshot,
    assignments: mine ? event.update.models.flatMap(assignmentsOf) : [],
    removed: mine ? [...leftSince(event.update, event.since)] : [],
    protocolVersion,
  };
}

function routeOf(state: ModelState): ModelRoute {
  const known = routes.get(state);
  if (known) return known;
  const route: ModelRoute = {
    model: state.model,
    aliases: state.aliases.map(encodeAlias),
    release: encodeRelease(state.release),
    placed: state.placed.map(({ version, digest, signature, serving }) => ({
      number: version,
      digest,
      signature: encodeSignature(signature),
      serving: encodeServing(serving),
    })),
    unplaced: [...state.unplaced],
    revision: state.changedRevision,
  };
  routes.set(state, route);
  return route;
}

function assignmentsOf(state: ModelState): Assignment[] {
  const known = assignments.get(state);
  if (known) return known;
  const made = state.placed.map((placed) => encodeAssignment(state.model, placed));
  assignments.set(state, made);
  return made;
}

function encodeAssignment(model: string, placed: PlacedVersion): Assignment {
  return {
    model,
    version: placed.version,
    digest: placed.digest,
    files: placed.files.map((file) => ({ ...file })),
    graphPath: placed.graphPath,
    signature: encodeSignature(placed.signature),
    serving: encodeServing(placed.serving),
    heldBy: [...placed.heldBy],
    champion: placed.champion,
    pinnedOnly: placed.pinnedOnly,
    aliases: [...placed.aliases],
  };
}
