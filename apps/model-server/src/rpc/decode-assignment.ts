import type { Assignment__Output } from '@sluice/contracts/gen/sluice/registry/v1/Assignment';
import type { Feature__Output } from '@sluice/contracts/gen/sluice/registry/v1/Feature';
import type { TensorSpec__Output } from '@sluice/contracts/gen/sluice/registry/v1/TensorSpec';
import type { WatchAssignmentsResponse__Output } from '@sluice/contracts/gen/sluice/registry/v1/WatchAssignmentsResponse';
import { isDatatype } from '@sluice/domain/datatype';
import { SluiceError } from '@sluice/domain/errors';
import { type Feature, imageFormats, servingDefaults, type TensorSpec } from '@sluice/domain/signature';
import type { Assignment, PlacementChange } from '../versions/assignment.ts';
import { decodeServing } from './decode-serving.ts';

/** Version of the watch protocol that this runtime speaks. */
export const protocolVersion = 2;

function feature(message: Feature__Output): Feature {
  return {
    name: message.name,
    nullable: message.nullable,
    ...(message.min === undefined ? {} : { min: message.min }),
    ...(message.max === undefined ? {} : { max: message.max }),
  };
}

function tensor(message: TensorSpec__Output): TensorSpec {
  const { name, datatype } = message;
  if (!isDatatype(datatype)) {
    throw new SluiceError(
      'data-loss',
      `the registry sent tensor "${name}" with datatype "${datatype}", not known here`,
    );
  }
  return {
    name,
    datatype,
    shape: message.shape.map(Number),
    dimNames: message.dimNames,
    features: message.features.map(feature),
    ...(message.min === undefined ? {} : { min: message.min }),
    ...(message.max === undefined ? {} : { max: message.max }),
    ...(message.classNames.length > 0 && { classNames: message.classNames }),
    ...formatOf(message.format),
  };
}

/** A format that is not known here is told to nobody; the version runs all the same. */
function formatOf(text: string): Pick<TensorSpec, 'format'> {
  const format = imageFormats.find((each) => each === text);
  return format ? { format } : {};
}

/** A version as the registry tells a runtime to load it. */
export function decodeAssignment(message: Assignment__Output): Assignment {
  return {
    model: message.model,
    version: Number(message.version),
    digest: message.digest,
    files: message.files.map((file) => ({ path: file.path, sha256: file.sha256, size: Number(file.size) })),
    graphPath: message.graphPath,
    ...howToRun(message),
    aliases: message.aliases,
    champion: message.champion,
    pinnedOnly: message.pinnedOnly,
    memoryBytes: Number(message.memoryBytes),
  };
}

/** What is not known here concerns one version; the watch has to go on for all others. */
function howToRun(message: Assignment__Output): Pick<Assignment, 'signature' | 'serving' | 'notKnown'> {
  try {
    const { inputs = [], outputs = [], batched = false } = message.signature ?? {};
    const signature = { inputs: inputs.map(tensor), outputs: outputs.map(tensor), batched };
    return { signature, serving: decodeServing(message.serving) };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const signature = { inputs: [], outputs: [], batched: false };
    return { signature, serving: servingDefaults, notKnown: `${error.message}: upgrade the runtime` };
  }
}

/**
 * Reads one message of the watch.
 * @throws SluiceError failed-precondition when its protocol is not one that this runtime understands
 */
export function decodeChange(message: WatchAssignmentsResponse__Output): PlacementChange {
  // Each side works with its own version and the next.
  if (message.protocolVersion > protocolVersion + 1) {
    const versions = `${message.protocolVersion}, this runtime ${protocolVersion}`;
    throw new SluiceError('failed-precondition', `the registry speaks watch protocol ${versions}: update the runtime`);
  }
  return {
    revision: Number(message.resumeToken),
    snapshot: message.snapshot,
    assignments: message.assignments.map(decodeAssignment),
    removed: message.removed.map((key) => ({ model: key.model, version: Number(key.version) })),
    quarantined: message.quarantined.map(({ model, version, reason }) => ({ model, version: Number(version), reason })),
  };
}
