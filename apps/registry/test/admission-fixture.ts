import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@sluice/service-kit/clock';
import type { Clock } from '@sluice/domain/clock';
import { onTestFinished } from 'vitest';
import type { Admission, AdmissionOutcome, AdmitOptions } from '../src/admission/admission.ts';
import { type AdmissionConfig, createAdmission } from '../src/admission/create-admission.ts';
import type { ArtifactStore } from '../src/artifacts/artifact-store.ts';
import { FolderStore } from '../src/artifacts/folder-store.ts';
import { inChunks, sha256Of, temporaryFolder } from './artifact-store-contract.ts';

export const examples = join(import.meta.dirname, '../../../examples/models');

export type Files = Readonly<Record<string, Uint8Array | string>>;

/** Puts files into a store and says what a version of them would be made of. */
export async function store(store: ArtifactStore, files: Files) {
  const listed = [];
  for (const [path, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const file = { path, sha256: sha256Of(bytes), size: bytes.length };
    await store.put(file, inChunks(bytes, 1_000_000));
    listed.push(file);
  }
  return { files: listed, graphPath: '' };
}

/** The files of an example's folder. */
export async function filesOf(folder: string): Promise<Files> {
  const names = await readdir(folder);
  const read = await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name))] as const));
  return Object.fromEntries(read);
}

export interface Bench {
  readonly store: ArtifactStore;
  readonly admission: Admission;
  readonly workFolder: string;
  /** Stores, inspects and admits. */
  readonly admit: (files: Files, options?: AdmitOptions) => Promise<AdmissionOutcome>;
  readonly inspect: (files: Files) => ReturnType<Admission['inspect']>;
}

/** A store and an admission of its own for one test. */
export async function bench(config: Partial<AdmissionConfig> = {}, clock: Clock = systemClock): Promise<Bench> {
  const folder = await temporaryFolder();
  const workFolder = join(folder, 'work');
  const artifacts = new FolderStore({ clock, folder: join(folder, 'artifacts') });
  const admission = createAdmission({ store: artifacts, clock, workFolder, measureMs: 50, ...config });
  onTestFinished(() => admission.close());
  const inspect = async (files: Files) => admission.inspect(await store(artifacts, files));
  const admit = async (files: Files, options?: AdmitOptions) => admission.admit(await inspect(files), options);
  return { store: artifacts, admission, workFolder, inspect, admit };
}
