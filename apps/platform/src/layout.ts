import { existsSync } from 'node:fs';
import path from 'node:path';

/** The services that the platform runs as processes. */
export type Program = 'registry' | 'feedback' | 'model-server' | 'router';

/** What Node runs of a program: `migrate` is the other entry of those with a database, workers are what threads of a model server run. */
export type Entry = 'main' | 'migrate' | 'runtime/session-worker' | 'versions/hash-worker';

export interface Layout {
  /** Folder that examples lie below. */
  readonly root: string;
  /** True in a clone, where npx finds buf and the command line. */
  readonly isClone: boolean;
  /** Arguments for Node that run a program. */
  entry(program: Program, name: Entry): readonly string[];
}

/**
 * Where the services lie beside `folder`, this file's own: in a clone they are TypeScript below `apps`; a built platform
 * has their built folders in `services`.
 */
export function findLayout(folder: string): Layout {
  if (folder.endsWith(path.join('platform', 'src'))) {
    const root = path.resolve(folder, '..', '..', '..');
    return {
      root,
      isClone: true,
      entry: (program, name) => ['--conditions=@sluice/source', path.join(root, 'apps', program, 'src', `${name}.ts`)],
    };
  }
  const root = path.dirname(folder);
  return { root, isClone: false, entry: (program, name) => [path.join(root, 'services', program, `${name}.js`)] };
}

/** Folder of the example models; undefined where they were not shipped. */
export function exampleFolder(layout: Layout): string | undefined {
  const folder = path.join(layout.root, 'examples', 'models');
  return existsSync(folder) ? folder : undefined;
}
