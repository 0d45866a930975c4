import type { Assignment } from '@sluice/contracts/gen/sluice/registry/v1/Assignment';
import type { ModelRoute } from '@sluice/contracts/gen/sluice/registry/v1/ModelRoute';
import type { Quarantine } from '@sluice/contracts/gen/sluice/registry/v1/Quarantine';
import type { WatchAssignmentsResponse } from '@sluice/contracts/gen/sluice/registry/v1/WatchAssignmentsResponse';
import type { WatchRoutesResponse } from '@sluice/contracts/gen/sluice/registry/v1/WatchRoutesResponse';
import { watchService } from '@sluice/contracts/services';
import { isFor, type Offer } from '@sluice/domain/device';
import type { ServingConfig } from '@sluice/domain/signature';
import type { WatchEvent } from '../usecases/watch.ts';
import type { AssignedVersion, ModelState } from '../watch/desired-state.ts';
import { leftSince } from '../watch/desired-state.ts';
import { withoutStateData } from './encode-sequences.ts';
import { encodeServing } from './encode-serving.ts';
import {
  encodeAlias,
  encodeCapture,
  encodeQuarantine,
  encodeRelease,
  encodeRuntimeLease,
  encodeSignature,
} from './encode.ts';
import { inParts } from './parts.ts';

// A model's state never changes once it is published, so that every watcher shares one message.
const routes = new WeakMap<ModelState, Sized<ModelRoute>>();
const assignments = new WeakMap<ModelState, Sized<RuntimeNews>>();

/** What a model is in a message, and the bytes that it takes there. */
interface Sized<Message> {
  readonly message: Message;
  readonly bytes: number;
}

/** What runtimes are told of a model. */
interface RuntimeNews {
  readonly made: readonly Assignment[];
  readonly quarantined: readonly Quarantine[];
}

const { WatchRoutes: routesCodec, WatchAssignments: assignmentsCodec } = watchService.definition;

/** The messages of one event for a router: one, or several when they would be too large for one. */
export function* encodeRoutes(
  event: WatchEvent,
  protocolVersion: number,
  limit: number,
): Generator<WatchRoutesResponse, void, void> {
  const { token, snapshot, models } = event.update;
  const runtimes = event.runtimes && {
    runtimes: event.runtimes.map((lease) => encodeRuntimeLease({ ...lease, versions: [] })),
  };
  for (const { items, more } of inParts(models, (model) => routeOf(model).bytes, limit)) {
    yield {
      resumeToken: token,
      snapshot,
      models: items.map((model) => routeOf(model).message),
      removed: [],
      runtimes: more ? null : (runtimes ?? null),
      protocolVersion,
      more,
    };
  }
}

/**
 * The messages of one event for a runtime: one, or several when they would be too large for one. It is told of what it
 * can load. A runtime that knows of no devices in another pool than `default` is told to load nothing, as ever.
 */
export function* encodeAssignments(
  event: WatchEvent,
  runtime: Offer,
  protocolVersion: number,
  limit: number,
): Generator<WatchAssignmentsResponse, void, void> {
  const { token, snapshot } = event.update;
  for (const { items, more } of inParts(event.update.models, (model) => assignmentsOf(model).bytes, limit)) {
    yield {
      resumeToken: token,
      snapshot,
      assignments: items.flatMap((model) => assignmentsFor(model, runtime)),
      removed: [...leftSince({ token, snapshot, models: items }, event.since)],
      // Whether it has one that is not placed here only the runtime knows.
      quarantined: items.flatMap((model) => assignmentsOf(model).message.quarantined),
      protocolVersion,
      more,
    };
  }
}

/** Routers run nothing: what may be large and is for runs alone is left out. */
function forRouters(serving: ServingConfig): ServingConfig {
  const { sequenceBatching } = serving;
  return {
    ...serving,
    warmupRequests: [],
    ...(sequenceBatching && { sequenceBatching: withoutStateData(sequenceBatching) }),
  };
}

function assignmentsFor(state: ModelState, runtime: Offer): Assignment[] {
  return assignmentsOf(state).message.made.filter((_assignment, at) => isFor(state.placed[at]!.serving, runtime));
}

function routeOf(state: ModelState): Sized<ModelRoute> {
  const known = routes.get(state);
  if (known) return known;
  const route: ModelRoute = {
    model: state.model,
    aliases: state.aliases.map(encodeAlias),
    release: encodeRelease(state.release),
    placed: state.placed.map(({ version, digest, signature, serving, hasTask }) => ({
      number: version,
      digest,
      signature: encodeSignature(signature),
      // They may have a megabyte, and no router runs them.
      serving: encodeServing(forRouters(serving)),
      hasTask,
    })),
    unplaced: [...state.unplaced],
    revision: state.changedRevision,
    quarantined: state.quarantined.map(encodeQuarantine),
    keepsSequences: state.keepsSequences,
    capture: encodeCapture(state.capture),
  };
  const sized = { message: route, bytes: routesCodec!.responseSerialize({ models: [route] }).length };
  routes.set(state, sized);
  return sized;
}

function assignmentsOf(state: ModelState): Sized<RuntimeNews> {
  const known = assignments.get(state);
  if (known) return known;
  const made = state.placed.map((placed) => encodeAssignment(state.model, placed));
  const quarantined = state.quarantined.map(encodeQuarantine);
  const bytes = assignmentsCodec!.responseSerialize({ assignments: made, quarantined }).length;
  const sized = { message: { made, quarantined }, bytes };
  assignments.set(state, sized);
  return sized;
}

/** A version as a runtime is told to load it. */
export function encodeAssignment(model: string, placed: AssignedVersion): Assignment {
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
    memoryBytes: placed.modelBytes,
  };
}
