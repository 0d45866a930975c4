import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { DataSetRef } from '@sluice/domain/data-set';
import type { Version__Output } from '@sluice/contracts/gen/sluice/registry/v1/Version';
import { type CliContext, pause, progress, show } from '../context.ts';
import { CliError, exitCodes, usageError } from '../exit-codes.ts';
import { plural, showBytes, showMilliseconds } from '../format.ts';
import { collectFiles, type HashedFile, hashFiles, type LocalFile } from '../push/collect-files.ts';
import { startBar } from '../push/progress-bar.ts';
import { isWorthRetrying, missingArtifacts, uploadFile } from '../push/upload.ts';
import { servingLines } from './serving.ts';

export interface PushOptions {
  /** Path of the graph inside the folder, when there are several. */
  readonly graph?: string | undefined;
  /** A `sluice.yaml` that lies elsewhere. */
  readonly manifest?: string | undefined;
  /** The run that makes the version. */
  readonly run?: string | undefined;
  /** What it was trained on. */
  readonly dataSet?: readonly DataSetRef[] | undefined;
}

const attempts = 5;

/** `sluice push MODEL PATH`: uploads what the registry lacks, makes a version, and follows its admission. */
export async function push(context: CliContext, model: string, target: string, options: PushOptions): Promise<void> {
  const local = await withManifest(context, target, options);
  const files = await hash(context, local);
  await upload(context, files);
  const version = await createVersion(context, model, files, options);
  show(context, version, () => summary(version));
  if (version.state === 'VERSION_STATE_REJECTED') {
    throw new CliError(
      exitCodes.refused,
      `${model} version ${version.number} was rejected: ${version.rejection}`,
      'It is kept with its reason and will never be served. Correct the model or its sluice.yaml and push again.',
    );
  }
}

async function withManifest(context: CliContext, target: string, options: PushOptions): Promise<readonly LocalFile[]> {
  const { files, left } = await collectFiles(target);
  if (left.length > 0)
    progress(context, `left out (hidden): ${left.slice(0, 10).join(', ')}${left.length > 10 ? ', …' : ''}`);
  if (options.manifest === undefined) return files;
  if (files.some((file) => file.path === 'sluice.yaml')) {
    throw usageError(`${target} has a sluice.yaml of its own`, 'Leave --manifest out, or remove that file.');
  }
  const source = path.resolve(options.manifest);
  const found = await stat(source);
  if (!found.isFile())
    throw usageError(`--manifest: ${options.manifest} is not a file`, 'Name the sluice.yaml itself, not its folder.');
  return [...files, { path: 'sluice.yaml', source, size: found.size }];
}

async function hash(context: CliContext, local: readonly LocalFile[]): Promise<readonly HashedFile[]> {
  const bar = startBar(context, 'hashing  ', total(local));
  try {
    return await hashFiles(local, (bytes) => bar.add(bytes), context.signal);
  } finally {
    bar.stop();
  }
}

const total = (files: readonly LocalFile[]) => files.reduce((sum, file) => sum + file.size, 0);

async function upload(context: CliContext, files: readonly HashedFile[]): Promise<void> {
  const missing = await missingArtifacts(context, files);
  const known = files.length - missing.length;
  progress(
    context,
    `${plural(files.length, 'file')}, ${showBytes(total(files))}` +
      (known > 0 ? `; the registry has ${known} of them` : ''),
  );
  const bar = startBar(context, 'uploading', total(missing));
  try {
    for (const file of missing) await uploadFile(context, file, (bytes) => bar.add(bytes));
  } finally {
    bar.stop();
  }
}

/** Follows the admission; after a broken connection the same request id finds the same version again. */
async function createVersion(
  context: CliContext,
  model: string,
  files: readonly HashedFile[],
  { graph: graphPath = '', run = '', dataSet = [] }: PushOptions,
): Promise<Version__Output> {
  const request = {
    model,
    files: files.map(({ path: inside, sha256, size }) => ({ path: inside, sha256, size })),
    ...{ graphPath, run, dataSets: [...dataSet] },
    requestId: randomUUID(),
  };
  const seen = new Set<string>();
  for (let attempt = 1; ; attempt += 1) {
    try {
      for await (const answer of context.services.registry.createVersion(request, { signal: context.signal })) {
        if (answer.progress !== '' && !seen.has(answer.progress)) progress(context, `  ${answer.progress}`);
        seen.add(answer.progress);
        if (answer.version) return answer.version;
      }
      throw new CliError(exitCodes.failed, 'the registry ended the admission without a version', 'Push again.');
    } catch (error) {
      if (!isWorthRetrying(error) || attempt === attempts) throw error;
      progress(context, 'the connection to the registry broke; asking again');
      await pause(context, 500 * 2 ** attempt);
    }
  }
}

function summary(version: Version__Output): string {
  const { model, number, admission } = version;
  if (version.state !== 'VERSION_STATE_READY') return `${model} version ${number}: rejected`;
  const lines = [`${model} version ${number} is ready`];
  if (admission) {
    const batch =
      admission.batchRows > 0 ? `, ${showMilliseconds(admission.batchLatencyMs)} for ${admission.batchRows}` : '';
    lines.push(
      `  admission: ${plural(admission.checks.length, 'check')} in ${showMilliseconds(Number(admission.durationMs))}; ` +
        `${showMilliseconds(admission.latencyMs)} for one row${batch}; ${showBytes(admission.peakRssBytes)} of memory`,
    );
  }
  if (version.serving?.batchingOffReason) lines.push(`  batching is off: ${version.serving.batchingOffReason}`);
  if (version.serving) lines.push(...servingLines(version.serving).map((line) => `  ${line}`));
  lines.push(`  next: sluice alias set ${model} champion ${number}`);
  return lines.join('\n');
}
