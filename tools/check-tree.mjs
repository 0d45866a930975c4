// Refuses what must not be in the repository: paths of one machine, addresses of package registries, unfinished marks, pages
// that name files which are not there, and a lock file that does not give each package what it asks for. Reads what git would commit: tracked files and new ones that
// are not ignored.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from './pinned-node.mjs';

// Put together from pieces, so that this file does not find itself.
const rules = [
  {
    what: 'a path of one machine',
    pattern: new RegExp(`(^|[^A-Za-z0-9_.])/(${['work', 'farm', 'root'].join('|')})/[a-z.]`, 'm'),
    skip: /\.lock$/,
  },
  {
    what: 'the address of a package registry',
    pattern: new RegExp(
      `"resolved": *"http|https?://[a-z0-9.-]*(${['registry', 'mirror', 'proxy'].join('|')})[a-z0-9.-]*/`,
    ),
  },
  {
    what: 'an unfinished mark or a skipped test',
    pattern: new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b|\\.(only|todo)\\(`),
    only: /\.(ts|mjs)$/,
  },
];

const listing = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root });
if (listing.status !== 0) {
  process.stdout.write('not a git work tree: nothing to check\n');
  process.exit(0);
}
const problems = [];
for (const file of listing.stdout.toString().split('\0').filter(Boolean)) {
  const full = path.join(root, file);
  const stat = statSync(full, { throwIfNoEntry: false });
  if (!stat?.isFile() || stat.size > 4_000_000) continue;
  const text = readFileSync(full, 'utf8');
  if (text.includes('\0')) continue;
  for (const { what, pattern, only, skip } of rules) {
    if (skip?.test(file) || (only !== undefined && !only.test(file)) || !pattern.test(text)) continue;
    const line = text.split('\n').findIndex((each) => pattern.test(each)) + 1;
    problems.push(`${file}:${line} has ${what}`);
  }
}
// A decision that is not in the index is not found.
const index = readFileSync(path.join(root, 'docs', 'adr', 'README.md'), 'utf8');
for (const file of readdirSync(path.join(root, 'docs', 'adr')))
  if (/^\d{4}-/.test(file) && !index.includes(`(${file})`)) problems.push(`docs/adr/README.md does not list ${file}`);

// A page or README that names a file of the repository that is not there (any more) misleads whoever follows it.
for (const file of listing.stdout
  .toString()
  .split('\0')
  .filter((name) => name.endsWith('.md'))) {
  const page = path.join(root, file);
  if (statSync(page, { throwIfNoEntry: false }) === undefined) continue;
  for (const [, named] of readFileSync(page, 'utf8').matchAll(/`((?:apps|libs|tools)\/[\w/.-]+\.(?:ts|mjs|md|json))`/g))
    if (statSync(path.join(root, named), { throwIfNoEntry: false }) === undefined)
      problems.push(`${file} names ${named}, which is not there`);
}

// npm installs such a lock without a word, and several copies of a package with it.
const lock = spawnSync('npm', ['ls', '--package-lock-only', '--all', '--json'], { cwd: root, maxBuffer: 2 ** 28 });
if (lock.status !== 0) {
  const found = JSON.parse(lock.stdout?.toString() || '{}').problems ?? [`npm ls ended with ${lock.status}`];
  for (const problem of found) problems.push(`package-lock.json: ${problem.replaceAll(`${root}${path.sep}`, '')}`);
}

for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
