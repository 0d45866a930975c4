import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { digestFile } from '@sluice/client/files';
import { createRegistryClient } from '@sluice/client/registry-client';
import type { RegistryClient } from '@sluice/client/registry-client';
import type { Clock } from '@sluice/domain/clock';
import { SluiceError, failedPrecondition } from '@sluice/domain/errors';
import type { TlsSource } from '@sluice/rpc/tls/source';
import type { Example } from './banner.ts';
import { host } from './ports.ts';
import type { PortTable } from './ports.ts';

/** An example model: its versions in order, each a folder and an alias, and the alias that answers by default. */
interface ExampleModel {
  readonly name: string;
  readonly description: string;
  readonly versions: readonly string[];
  readonly champion: string;
}

const models: readonly ExampleModel[] = [
  {
    name: 'digits',
    description: 'Handwritten digits, 8x8 pixels: which digit is it?',
    versions: ['linear', 'mlp', 'cnn'],
    champion: 'cnn',
  },
  {
    name: 'wdbc',
    description: 'A cell sample, 30 measurements: malignant or benign?',
    versions: ['logistic', 'forest'],
    champion: 'logistic',
  },
];

export interface ExampleOptions {
  /** Folder with a folder per model. */
  readonly folder: string;
  readonly ports: PortTable;
  readonly clock: Clock;
  /** What calls to the registry are secured with. */
  readonly tls: TlsSource | undefined;
  readonly say: (severity: 'info' | 'warn', text: string) => void;
}

/**
 * Pushes the example models that the registry does not have, and sets the aliases that they never had: what a person has
 * changed since stays. A failure is said and not thrown; the platform runs without examples.
 *
 * @returns the example models whose champion moves without an approval, as they all do until somebody changes that
 */
export async function pushExamples(options: ExampleOptions): Promise<string[]> {
  const { ports, clock, tls } = options;
  const registry = createRegistryClient(`${host}:${ports.registry.port}`, { clock, tls, actor: 'npm-start' });
  try {
    const approvals = await Promise.all(models.map(async (model) => pushModel(registry, model, options)));
    return models.filter((_, index) => approvals[index] === 0).map(({ name }) => name);
  } catch (error) {
    const { message } = SluiceError.from(error);
    options.say('warn', `not all example models are there: ${message}; the next start tries again`);
    return [];
  } finally {
    registry.close();
  }
}

/** Resolves with the approvals that moving its champion needs. */
async function pushModel(client: RegistryClient, example: ExampleModel, options: ExampleOptions): Promise<number> {
  const { name } = example;
  const before = await openModel(client, example, options);
  for (const [index, folder] of example.versions.entries()) {
    if (Number(before.versionCount) > index) continue;
    const number = await pushVersion(client, name, path.join(options.folder, name, folder));
    options.say('info', `pushed example ${name} version ${number} (${folder})`);
  }
  const has = new Set(before.aliases.map(({ alias }) => alias));
  const wanted = [
    ...example.versions.map((alias, index): [string, number] => [alias, index + 1]),
    ['champion', example.versions.indexOf(example.champion) + 1] as [string, number],
  ].filter(([alias]) => !has.has(alias));
  await Promise.all(wanted.map(async ([alias, version]) => setAlias(client, name, alias, version)));
  if (wanted.length > 0) {
    const said = wanted.map(([alias, version]) => `${alias} -> ${version}`).join(', ');
    options.say('info', `${name}: ${said}`);
  }
  return before.settings?.approvalsRequired ?? 1;
}

async function openModel(client: RegistryClient, { name, description }: ExampleModel, options: ExampleOptions) {
  try {
    const { model } = await client.registry.getModel({ name });
    if (model !== null) return model;
  } catch (error) {
    if (SluiceError.from(error).kind !== 'not-found') throw error;
  }
  const settings = { owner: 'examples', description, approvalsRequired: 0 };
  const { model } = await client.registry.createModel({ name, settings });
  options.say('info', `made example model ${name}; moving its champion needs no approval (other models need one)`);
  return model!;
}

async function pushVersion(client: RegistryClient, model: string, folder: string): Promise<string> {
  const graph = `${path.basename(folder)}.onnx`;
  const files: { path: string; sha256: string; size: number }[] = [];
  for (const name of [graph, 'sluice.yaml']) {
    const digest = await digestFile(path.join(folder, name));
    await client.uploadFile(path.join(folder, name), undefined, digest);
    files.push({ path: name, ...digest });
  }
  const call = client.registry.createVersion({ model, files, graphPath: graph }, { timeoutMs: 120_000 });
  for await (const { version } of call) {
    if (version === null) continue;
    if (version.state === 'VERSION_STATE_REJECTED')
      throw failedPrecondition(`${model} version ${version.number} was rejected: ${version.rejection}`);
    return version.number;
  }
  throw failedPrecondition(`the registry ended the push of ${folder} without a version`);
}

async function setAlias(client: RegistryClient, model: string, alias: string, version: number): Promise<void> {
  const { move } = await client.registry.moveAlias({ model, alias, version });
  for await (const { move: now, done } of client.registry.watchAliasMove({ moveId: move!.id }, { timeoutMs: 90_000 })) {
    if (!done && now?.state !== 'ALIAS_MOVE_STATE_EFFECTIVE') continue;
    if (now?.state === 'ALIAS_MOVE_STATE_EFFECTIVE') return;
    throw failedPrecondition(
      `alias ${alias} of ${model} did not move: ${now?.reasons.join('; ') ?? 'no reason given'}`,
    );
  }
}

/** The first row of the holdout set of `digits`. */
export async function firstDigit(folder: string): Promise<Example> {
  const text = await readFile(path.join(folder, 'digits', 'holdout.csv'), 'utf8');
  const cells = (text.split('\n')[1] ?? '').split(',');
  const pixels = cells.slice(0, 64).map(Number);
  const input = { name: 'pixels', datatype: 'FP32', shape: [1, 64], contents: { fp32_contents: pixels } };
  return { request: JSON.stringify({ model_name: 'digits', inputs: [input] }), label: cells[64] ?? '' };
}
