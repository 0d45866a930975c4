// `npm run soak`: the property and survival tests with their full numbers. Each suite's last full run is a row of
// docs/soak-report.md.
//
//   npm run soak                       all suites, some hours
//   npm run soak -- router batching    these alone
//   npm run soak -- --runs 1000        fewer runs per property; the report is left as it is
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pinnedEnvironment, root } from './pinned-node.mjs';
import { machineText, replaceRow, rowOf } from './soak-report.mjs';
import { takeReports } from './test-reports.mjs';

/** `runs`: how often each property is tried; `rounds`: how often the whole suite is run. */
const suites = [
  { name: 'inference', folder: 'libs/inference', runs: 100_000, about: 'codec against protobufjs, mutated messages' },
  { name: 'wire', folder: 'libs/wire', runs: 500_000, about: 'damaged HTTP/2, and the same to node:http2; HPACK' },
  { name: 'batching', folder: 'libs/batching', runs: 20_000, about: 'the scheduler held to its contract' },
  { name: 'evidence', folder: 'libs/evidence', runs: 60_000, about: 'blocks, lives of a spool on bad disks, 50 kills' },
  { name: 'model-server', folder: 'apps/model-server', runs: 100_000, about: 'mutated requests, datatypes, pressure' },
  { name: 'router', folder: 'apps/router', runs: 100_000, about: 'mutated requests, failover' },
  ...['model-server', 'router'].map((service) => ({
    name: `${service}-grpc-js`,
    folder: `apps/${service}`,
    runs: 1000,
    env: { SLUICE_TRANSPORT: 'grpc-js' },
    about: `all tests of ${service} on the other gRPC stack`,
  })),
  { name: 'registry', folder: 'apps/registry', runs: 2000, about: 'audit proofs, stores, admission of hostile models' },
  {
    name: 'feedback',
    folder: 'apps/feedback',
    runs: 50,
    about: 'Postgres killed again and again while spools deliver; a million labels in one stream',
  },
  {
    name: 'batch',
    folder: 'apps/cli',
    runs: 50,
    files: ['test/cli.test.ts'],
    about: 'a batch run killed again and again, and one of a file of 900 MB in 48 MB of heap',
  },
  {
    name: 'platform',
    folder: 'apps/platform',
    runs: 1,
    rounds: 5,
    files: ['survival', 'promotion', 'replicas', 'fresh-clone'].map((name) => `test/${name}.test.ts`),
    about: 'kill -9 of every process, champion moves and conflicts of replicas under load, a fresh clone',
  },
  {
    name: 'platform-evidence',
    folder: 'apps/platform',
    runs: 1,
    files: ['test/examples.test.ts'],
    about: 'durable predictions while feedback, Postgres and the router are killed in turn',
  },
  {
    name: 'tools',
    folder: 'tools',
    runs: 1,
    files: ['test/tarballs.test.ts'],
    about: 'tarballs of client and command line',
  },
  { name: 'endurance', runs: 5_000_000, about: 'memory after 5 million requests, and after 300 loads and unloads' },
];
/** Loads and unloads of a full endurance; with fewer requests there are as few of them. */
const cycles = 300;

function readArguments(argv) {
  const names = [];
  let runs;
  for (let at = 0; at < argv.length; at++) {
    if (argv[at] === '--runs') runs = Number(argv[++at]);
    else names.push(argv[at]);
  }
  const unknown = names.filter((name) => !suites.some((suite) => suite.name === name));
  if (unknown.length > 0 || (runs !== undefined && !(runs > 0))) {
    const choices = suites.map(({ name }) => name).join(', ');
    process.stderr.write(
      `soak: ${unknown[0] ?? '--runs'} is not understood; say any of ${choices}, and --runs NUMBER\n`,
    );
    process.exit(2);
  }
  return {
    chosen: suites.filter(({ name }) => names.length === 0 || names.includes(name)),
    runs,
  };
}

/** The bench's own: each of its targets counts as a test. */
function runEndurance(requests, all) {
  const counts = [
    '--requests',
    String(Math.max(1000, requests)),
    '--cycles',
    String(Math.ceil((cycles * requests) / all)),
  ];
  const main = path.join(root, 'tools', 'bench', 'src', 'main.ts');
  const args = ['--conditions=@sluice/source', main, '--endurance', '--json', ...counts];
  const started = performance.now();
  const { stdout } = spawnSync('node', args, {
    cwd: root,
    env: pinnedEnvironment(process.env),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const minutes = (performance.now() - started) / 60_000;
  const printed = /^\{.*\}$/m.exec(stdout.toString());
  const { rows } = printed === null ? { rows: [] } : JSON.parse(printed[0]);
  for (const { name, value } of rows) process.stdout.write(`${name}: ${value.toFixed(3)}\n`);
  const missed = rows.filter(({ met }) => met !== true);
  const failures =
    printed === null ? ['it ended without a result'] : missed.map(({ name, value }) => `${name}: ${value}`);
  return { rounds: 1, passed: rows.length - missed.length, failed: failures.length, failures, minutes };
}

function runSuite(suite, runs, seed) {
  const results = mkdtempSync(path.join(tmpdir(), 'sluice-soak-'));
  const env = {
    ...pinnedEnvironment(process.env),
    SLUICE_SOAK: '1',
    SLUICE_PROPERTY_RUNS: String(runs),
    SLUICE_PROPERTY_SEED: String(seed),
    SLUICE_TEST_RESULTS: results,
    ...suite.env,
  };
  const config = path.join(root, 'vitest.soak.config.ts');
  const args = ['run', '--config', config, '--dir', '.', ...(suite.files ?? [])];
  const started = performance.now();
  const cwd = path.join(root, suite.folder);
  let broken = 0;
  // All rounds, also after a failure: how often it happens is what they are for.
  for (let round = 0; round < (suite.rounds ?? 1); round++)
    if (spawnSync('vitest', args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0) broken += 1;
  const minutes = (performance.now() - started) / 60_000;
  const { reports, passed, failures } = takeReports(results);
  rmSync(results, { recursive: true });
  const failed = Math.max(failures.length, broken);
  // A round that broke before its tests left no report.
  return { rounds: reports, passed, failed, failures: failures.map(({ test }) => test), minutes };
}

const git = (...args) => spawnSync('git', args, { cwd: root }).stdout?.toString().trim() ?? '';
const { chosen, runs } = readArguments(process.argv.slice(2));
const seed = randomInt(2 ** 31);
const names = suites.map(({ name }) => name);
const file = path.join(root, 'docs', 'soak-report.md');

/** After each suite, so that a run that is stopped keeps what it has done. */
function report(row) {
  const before = existsSync(file) ? readFileSync(file, 'utf8') : '';
  writeFileSync(file, replaceRow(before, row, names));
  spawnSync('oxfmt', [file], { env: pinnedEnvironment(process.env) });
}

const rows = chosen.map((suite) => {
  process.stdout.write(`\n== ${suite.name}\n`);
  const tries = runs === undefined ? suite.runs : Math.min(runs, suite.runs);
  // Of the code that it begins with.
  const commit = git('rev-parse', '--short', 'HEAD') || 'unknown';
  const ran = suite.name === 'endurance' ? runEndurance(tries, suite.runs) : runSuite(suite, tries, seed);
  const row = {
    ...ran,
    name: suite.name,
    about: suite.about,
    tries,
    seed,
    commit,
    machine: machineText(),
    at: new Date(),
  };
  if (runs === undefined) report(row);
  return row;
});

for (const row of rows) {
  process.stdout.write(`\n${rowOf(row)}\n`);
  for (const failure of row.failures) process.stdout.write(`failed: ${failure}\n`);
}
const failed = rows.reduce((total, row) => total + row.failed, 0);
process.stdout.write(`\n${rows.reduce((total, row) => total + row.passed, 0)} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
