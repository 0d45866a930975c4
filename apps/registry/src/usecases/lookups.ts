import { failedPrecondition, notFound } from '@sluice/domain/errors';
import { quarantinedError } from '@sluice/domain/quarantine';
import type { ModelRecord, VersionRecord } from './records.ts';
import type { StateReads } from './state.ts';

/** The model, or `not-found` saying how to make it. */
export async function requireModel(reads: StateReads, name: string): Promise<ModelRecord> {
  const model = await reads.model(name);
  if (!model)
    throw notFound(`model: there is no model "${name}"; push a first version with \`sluice push ${name} FILE\``);
  return model;
}

/** A version that has not been deleted, or `not-found`. */
export async function requireVersion(reads: StateReads, model: string, number: number): Promise<VersionRecord> {
  const version = await reads.version(model, number);
  if (!version) {
    throw notFound(`version: ${model} has no version ${number}; \`sluice versions ${model}\` lists what it has`);
  }
  if (version.state === 'deleted') {
    throw notFound(`version: ${model} version ${number} was deleted; \`sluice versions ${model}\` lists what is left`);
  }
  return version;
}

/** Throws `failed-precondition` with the way out when the version is quarantined, in whatever pool: nobody loads it. */
export async function requireNotQuarantined(reads: StateReads, model: string, version: number): Promise<void> {
  const quarantines = await reads.quarantines(model);
  const quarantine = quarantines.find((one) => one.version === version);
  if (quarantine) throw quarantinedError(quarantine);
}

/** A version that may be served, or `failed-precondition` saying why it may not. */
export async function requireReadyVersion(reads: StateReads, model: string, number: number): Promise<VersionRecord> {
  const version = await requireVersion(reads, model, number);
  if (version.state === 'rejected') {
    throw failedPrecondition(
      `version: admission rejected ${model} version ${number} (${version.rejection}); push a corrected version`,
    );
  }
  if (version.state !== 'ready') {
    throw failedPrecondition(
      `version: ${model} version ${number} is still in admission; try again when \`sluice show ${model} ${number}\` says ready`,
    );
  }
  return version;
}
