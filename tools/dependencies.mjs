// Brings node_modules to what package-lock.json says, when it is not. Plain JavaScript: this runs before anything is
// installed, on whatever Node the machine has.
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { linkPinnedNode, pinnedEnvironment, pinnedNode, pinnedPackage, root } from './pinned-node.mjs';

const readJson = (file) => JSON.parse(readFileSync(path.join(root, file), 'utf8'));
const say = (line) => process.stderr.write(`${line}\n`);

/** Whether a list of the lock file has a value; as npm has it, `!x` means all but x. */
function allows(list, value) {
  if (list === undefined) return true;
  const names = [list].flat();
  return names.includes(value) || (names.every((name) => name.startsWith('!')) && !names.includes(`!${value}`));
}

/** The C library that Node runs on, as npm names it; undefined where it is neither, or this is not Linux. */
function libcName() {
  if (process.platform !== 'linux') return undefined;
  // Else the report looks up the name of every peer.
  process.report.excludeNetwork = true;
  const { header, sharedObjects } = process.report.getReport();
  if (header.glibcVersionRuntime) return 'glibc';
  return sharedObjects.some((file) => /(?:libc\.|ld-)musl-/.test(file)) ? 'musl' : undefined;
}

/** Whether an optional package is one of several for different systems, and the one for this. */
function isForThisMachine({ os, cpu, libc }) {
  if (os === undefined && cpu === undefined && libc === undefined) return false;
  if (!allows(os, process.platform) || !allows(cpu, process.arch)) return false;
  return libc === undefined || allows(libc, libcName());
}

/**
 * Why node_modules is not what the lock file says, or undefined when it is. npm leaves a copy of the lock in
 * node_modules when an install has ended, so nothing of our own has to be kept: an interrupted install has no copy.
 */
export function staleness() {
  if (!existsSync(path.join(root, 'node_modules', '.package-lock.json'))) return 'dependencies are not installed';
  const wanted = readJson('package-lock.json').packages;
  const present = readJson('node_modules/.package-lock.json').packages;
  for (const [place, entry] of Object.entries(wanted)) {
    if (!place.includes('node_modules/')) {
      const manifest = place === '' ? 'package.json' : `${place}/package.json`;
      if (!existsSync(path.join(root, manifest))) return `${manifest} is gone`;
      continue;
    }
    const found = present[place];
    if (found === undefined) {
      const mayBeAbsent = entry.optional || entry.devOptional || entry.peer;
      // npm goes on without an optional package that it cannot download, but nothing here runs without Postgres's, buf's
      // or Nx's binary.
      if (mayBeAbsent && !(entry.optional && isForThisMachine(entry))) continue;
      return `${place} is missing`;
    }
    if (entry.link ? found.resolved !== entry.resolved : found.version !== entry.version) return `${place} is stale`;
    if (entry.integrity !== undefined && found.integrity !== undefined && found.integrity !== entry.integrity)
      return `${place} is stale`;
  }
  if (pinnedPackage !== undefined && pinnedNode() === undefined) return `${pinnedPackage} is missing`;
  return undefined;
}

/** What package.json files ask for that package-lock.json does not know; `npm ci` would refuse it with pages of text. */
function lockMismatch() {
  const { packages } = readJson('package-lock.json');
  for (const [place, entry] of Object.entries(packages)) {
    if (place.includes('node_modules/')) continue;
    const manifest = readJson(place === '' ? 'package.json' : `${place}/package.json`);
    for (const field of ['dependencies', 'devDependencies', 'optionalDependencies'])
      for (const [name, range] of Object.entries(manifest[field] ?? {}))
        if (entry[field]?.[name] !== range) return `${place === '' ? 'package.json' : place}: ${name}@${range}`;
  }
  return undefined;
}

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Removes the lock of a dead holder, and only that: between reading and removing it may have become somebody else's. */
function takeAway(file, holder) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (Number(readFileSync(aside, 'utf8')) !== holder) linkSync(aside, file);
  } catch {
    // Somebody else took it away first.
  }
  rmSync(aside, { force: true });
}

/** Two set-ups at once would pull node_modules from under each other: one works, the other waits for it. */
function withLock(action) {
  mkdirSync(path.join(root, '.sluice'), { recursive: true });
  const file = path.join(root, '.sluice', 'setup.lock');
  for (let said = false; ; sleep(200)) {
    try {
      const handle = openSync(file, 'wx');
      writeSync(handle, String(process.pid));
      closeSync(handle);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    let holder = 0;
    let age = 0;
    try {
      age = Date.now() - statSync(file).mtimeMs;
      holder = Number(readFileSync(file, 'utf8'));
    } catch {
      continue;
    }
    if (holder > 0 ? !isAlive(holder) : age > 5_000) {
      takeAway(file, holder);
      continue;
    }
    if (!said) say(`sluice: another set-up (process ${holder}) is installing dependencies; waiting for it`);
    said = true;
  }
  try {
    return action();
  } finally {
    rmSync(file, { force: true });
  }
}

/** Runs `npm ci` on the Node of this process, or on the pinned one. */
function runNpmCi({ pinned }) {
  const script = process.env.npm_execpath;
  const viaNode = script !== undefined && /\.c?js$/.test(script);
  // Errors only: npm would warn that the Node it runs on is too old for packages that only the pinned Node ever loads.
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  args.push('--loglevel=error');
  const env = { ...(pinned ? pinnedEnvironment(process.env) : process.env), ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const node = (pinned ? pinnedNode() : undefined) ?? process.execPath;
  const [command, all] = viaNode ? [node, [script, ...args]] : ['npm', args];
  const windowsShell = !viaNode && process.platform === 'win32';
  return spawnSync(command, all, { cwd: root, env, stdio: ['ignore', 2, 2], shell: windowsShell }).status === 0;
}

/** Installs what is missing or stale. Returns undefined, or one line that says what went wrong. */
export function ensureDependencies() {
  if (staleness() === undefined) return undefined;
  return withLock(() => {
    const reason = staleness();
    if (reason === undefined) return undefined;
    const mismatch = lockMismatch();
    if (mismatch !== undefined)
      return `package-lock.json does not have ${mismatch}; run \`npm install --ignore-scripts\` and commit the lock file`;
    say(`sluice: ${reason}; running npm ci (about a minute)`);
    const failure = 'npm ci failed; its message is above. Sluice needs the npm registry for its first start';
    if (!runNpmCi({ pinned: false })) return failure;
    const left = staleness();
    if (left !== undefined) {
      // An optional package that was not downloaded, or that does not want the Node that npm ran on.
      say(`sluice: after npm ci ${left}; running it once more`);
      if (!runNpmCi({ pinned: true })) return failure;
      const still = staleness();
      if (still !== undefined) return `after npm ci ${still}: npm could not download it; try again`;
    }
    linkPinnedNode();
    return undefined;
  });
}

/** The Node to run with: the pinned one, or this one where the platform has none and this one is new enough. */
export function chooseNode() {
  const file = pinnedNode();
  if (file !== undefined) {
    const probe = spawnSync(file, ['--version'], { env: pinnedEnvironment(process.env) });
    if (probe.status === 0) return { node: file };
  }
  if (Number(process.versions.node.split('.')[0]) >= 26) return { node: process.execPath };
  return {
    problem: `no pinned Node runs on ${process.platform}-${process.arch}; install Node 26 and try again`,
  };
}
