// What a workspace project needs at run time, read from package-lock.json: its workspace libraries and its npm packages.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './pinned-node.mjs';

const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;

/** Folder of a workspace package by its name, relative to the root; undefined for packages from npm. */
export function workspaceFolder(name) {
  const entry = lock[`node_modules/${name}`];
  return entry?.link ? entry.resolved : undefined;
}

/** Where `name` is found when code at `place` imports it: the nearest node_modules that has it, upwards. */
function resolvePlace(place, name) {
  for (let at = place; ;) {
    const candidate = at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    if (lock[candidate] !== undefined) return candidate;
    if (at === '') return undefined;
    const cut = at.lastIndexOf('/node_modules/');
    at = cut < 0 ? '' : at.slice(0, cut);
  }
}

function namesNeeded(entry) {
  const peers = Object.keys(entry.peerDependencies ?? {}).filter(
    (name) => !entry.peerDependenciesMeta?.[name]?.optional,
  );
  return {
    required: [...Object.keys(entry.dependencies ?? {}), ...peers],
    optional: Object.keys(entry.optionalDependencies ?? {}),
  };
}

/**
 * The run-time closure of the project in `folder` (relative to the root): `libs`, folders of workspace libraries;
 * `packages`, places of npm packages in the lock file; `direct`, name to version of what the project and its libraries
 * import by name. All sorted. Optional packages of other platforms are left out: they are not installed.
 */
export function closureOf(folder) {
  const libs = new Set();
  const packages = new Set();
  const direct = {};
  const queue = [{ place: folder, workspace: true }];
  const seen = new Set();
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next.place)) continue;
    seen.add(next.place);
    const { required, optional } = namesNeeded(lock[next.place]);
    for (const name of [...required, ...optional]) {
      if (name.startsWith('@types/')) continue;
      const place = resolvePlace(next.place, name);
      if (place === undefined || !existsSync(path.join(root, place))) {
        if (optional.includes(name)) continue;
        throw new Error(`${next.place} needs ${name}, which is not installed; run npm ci --ignore-scripts`);
      }
      if (lock[place].link) {
        libs.add(lock[place].resolved);
        queue.push({ place: lock[place].resolved, workspace: true });
        continue;
      }
      if (next.workspace) direct[name] = lock[place].version;
      packages.add(place);
      queue.push({ place, workspace: false });
    }
  }
  const sortedDirect = Object.fromEntries(Object.entries(direct).sort(([a], [b]) => (a < b ? -1 : 1)));
  return { libs: [...libs].sort(), packages: [...packages].sort(), direct: sortedDirect };
}
