import { posix } from 'node:path';
import { invalidArgument } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import type { VersionFile } from '@sluice/domain/version';
import { pathProblem } from '../artifacts/names.ts';
import type { ExternalData } from './graph-info.ts';

/**
 * Holds every external-data location of a graph to the files that were pushed: relative to the graph's folder, inside
 * the pushed folder, one of its files, and the range inside that file. All that is wrong comes in one
 * `invalid-argument`.
 */
export function checkExternalData(
  external: readonly ExternalData[],
  graphPath: string,
  files: readonly VersionFile[],
): void {
  const sizes = new Map(files.map((file) => [file.path, file.size]));
  const folder = posix.dirname(graphPath);
  const problems = new Set<string>();
  for (const part of external) {
    const problem = problemOf(part, folder, sizes);
    if (problem) problems.add(`tensor "${clip(part.tensor)}": external data "${clip(part.location)}" ${problem}`);
    if (problems.size >= 20) break;
  }
  if (problems.size > 0) {
    throw invalidArgument(
      `${graphPath}: ${[...problems].join('; ')}. Push the folder that holds the graph and its data`,
    );
  }
}

function problemOf(part: ExternalData, folder: string, sizes: ReadonlyMap<string, number>): string | undefined {
  const wrong = pathProblem(part.location);
  if (wrong) return `${wrong}; expected the relative path of a pushed file`;
  const path = folder === '.' ? part.location : `${folder}/${part.location}`;
  const size = sizes.get(path);
  if (size === undefined) return `is not among the pushed files (looked for "${clip(path)}")`;
  const end = part.offset + (part.length ?? 0);
  if (end > size) return `ends at byte ${end}, but the file has ${size}`;
  return undefined;
}
