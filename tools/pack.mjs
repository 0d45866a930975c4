// Makes a tarball of a workspace project that `npm install` takes on a machine without the clone. Workspace libraries are
// folded in as folders, and imports of them are rewritten to relative paths: npm never has to look for them. Packages
// from npm become ordinary dependencies, pinned to what the lock file has.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { closureOf } from './closure.mjs';
import { pinnedEnvironment, root } from './pinned-node.mjs';

const importOfLib = /(\bfrom\s*|\bimport\s*\(?\s*)(['"])@sluice\/([a-z-]+)\/([^'"]+)\2/g;

/** Rewrites `@sluice/domain/errors` in the compiled files under `stage` to the file's relative path. */
function relink(stage) {
  for (const file of readdirSync(stage, { recursive: true })) {
    if (!/\.(?:js|d\.ts)$/.test(file)) continue;
    const full = path.join(stage, file);
    const text = readFileSync(full, 'utf8').replace(importOfLib, (_all, before, quote, lib, module) => {
      const target = path
        .relative(path.dirname(full), path.join(stage, lib, `${module}.js`))
        .split(path.sep)
        .join('/');
      return `${before}${quote}${target.startsWith('.') ? target : `./${target}`}${quote}`;
    });
    writeFileSync(full, text);
  }
}

const keepForUsers = (file) => !/\.(?:map|tgz|tsbuildinfo)$/.test(file);

/** Writes `<folder>/dist/<name>-<version>.tgz`. `app`: the project is a command, else a library. */
export function packTarball({ folder, manifest, libs, direct, app, launcher, oldestNode }) {
  const stage = mkdtempSync(path.join(tmpdir(), 'sluice-pack-'));
  try {
    const own = app ? path.join(root, folder, 'dist', 'app') : path.join(root, folder, 'dist');
    const ownName = app ? 'app' : path.basename(folder);
    cpSync(own, path.join(stage, ownName), { recursive: true, filter: keepForUsers });
    for (const lib of libs)
      cpSync(path.join(root, lib, 'dist'), path.join(stage, path.basename(lib)), {
        recursive: true,
        filter: keepForUsers,
      });
    relink(stage);
    const description = manifest.description === undefined ? {} : { description: manifest.description };
    const entry = app
      ? { bin: Object.fromEntries(Object.keys(manifest.bin).map((name) => [name, 'main.js'])) }
      : { exports: { './*': { types: `./${ownName}/*.d.ts`, default: `./${ownName}/*.js` } } };
    if (app) writeFileSync(path.join(stage, 'main.js'), `#!/usr/bin/env node\n${launcher('main.js')}`, { mode: 0o755 });
    const packed = {
      name: manifest.name,
      version: manifest.version,
      ...description,
      license: manifest.license,
      type: 'module',
      engines: { node: `>=${oldestNode}` },
      ...entry,
      dependencies: direct,
    };
    writeFileSync(path.join(stage, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
    const destination = path.join(root, folder, 'dist');
    mkdirSync(destination, { recursive: true });
    const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', destination];
    const run = spawnSync('npm', args, {
      cwd: stage,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: pinnedEnvironment(process.env),
    });
    if (run.status !== 0) throw new Error('npm pack failed');
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

// Run by itself in a library's folder, after its own build.
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = path.relative(root, process.cwd()).split(path.sep).join('/');
  const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
  const { libs, direct } = closureOf(folder);
  packTarball({ folder, manifest, libs, direct, app: false, oldestNode: 24 });
}
