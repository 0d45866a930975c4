// What `npm test` runs: every check and every test, in order, with the minutes of each. It goes on after a failure, so
// that one run shows all there is to mend, and ends with what failed, the minutes, and `N passed, N failed` over the tests.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pinnedEnvironment, root } from './pinned-node.mjs';
import { takeReports } from './test-reports.mjs';

const cache = process.env.CI === undefined ? [] : ['--skip-nx-cache'];
const nx = (target, ...more) => ['nx', 'run-many', '-t', target, '--output-style=static', ...more];

/**
 * In order: what is cheap and often wrong comes first. `counts`: its tests are counted. `beside`: it runs beside the steps
 * after it, up to the one that is `alone`, and is printed when it is over.
 */
const steps = [
  { name: 'formatting', run: ['oxfmt', '--check'] },
  { name: 'nothing that must not be committed', run: ['node', 'tools/check-tree.mjs'] },
  { name: 'project graph', run: ['node', 'tools/check-graph.mjs'] },
  { name: 'protos: lint', run: ['buf', 'lint'] },
  { name: 'protos: no breaking change', run: ['buf', 'breaking', '--against', 'protos/image.binpb'] },
  { name: 'lint: language and types', run: ['oxlint', 'apps', 'libs', 'tools', 'examples'] },
  {
    name: 'lint: architecture',
    run: ['eslint', 'apps', 'libs', 'tools', 'examples'],
    beside: true,
    // Without Nx's graph, which "project graph" has made, the rule of module boundaries would pass everything.
    never: 'No cached ProjectGraph',
  },
  { name: 'typecheck', run: nx('typecheck', ...cache) },
  { name: 'build', run: nx('build', ...cache) },
  // Nx would run them last, with nothing beside them.
  {
    name: 'integration tests of tools',
    run: nx('test:integration', '--skip-nx-cache', '--projects=tools'),
    counts: true,
    beside: true,
  },
  { name: 'unit and contract tests', run: nx('test', '--skip-nx-cache'), counts: true },
  {
    name: 'integration tests',
    run: nx('test:integration', '--skip-nx-cache', '--exclude=platform,tools'),
    counts: true,
    alone: true,
  },
  // By themselves: they put load on a whole platform and watch its times.
  {
    name: 'end-to-end tests',
    run: nx('test:integration', '--skip-nx-cache', '--projects=platform'),
    counts: true,
    alone: true,
  },
];

const results = mkdtempSync(path.join(tmpdir(), 'sluice-results-'));
// Colour codes and the Nx daemon are for people at a terminal; a run must not leave a process behind.
const env = {
  ...pinnedEnvironment(process.env),
  NX_DAEMON: 'false',
  SLUICE_TEST_RESULTS: results,
  // The same modules are loaded by hundreds of processes: only the first of them compiles.
  NODE_COMPILE_CACHE: path.join(root, 'node_modules', '.cache', 'compile'),
};

const table = [];
const total = { passed: 0, failed: 0 };
const failures = [];

function note(step, ok, started) {
  const taken = step.counts ? takeReports(results) : { passed: 0, failures: [] };
  // Whatever failed without a failed test to show for it counts as one.
  const counted = { passed: taken.passed, failed: Math.max(taken.failures.length, ok ? 0 : 1) };
  total.passed += counted.passed;
  total.failed += counted.failed;
  failures.push(...taken.failures);
  table.push({ step, ok, minutes: (performance.now() - started) / 60_000, counted });
}

/** Starts a step beside those after it. @returns resolves when it is over and printed */
function startBeside(step) {
  const started = performance.now();
  const [command, ...args] = step.run;
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => printed.push(chunk));
  return new Promise((resolve) => {
    const end = (ok) => {
      const text = Buffer.concat(printed).toString();
      process.stdout.write(`\n== ${step.name}\n${text}`);
      note(step, ok && !(step.never && text.includes(step.never)), started);
      resolve();
    };
    child.once('error', (error) => {
      printed.push(Buffer.from(`${error.message}\n`));
      end(false);
    });
    child.once('close', (code) => end(code === 0));
  });
}

/** Runs a step to its end; what runs beside it goes on meanwhile. */
async function runStep(step) {
  process.stdout.write(`\n== ${step.name}\n`);
  const started = performance.now();
  const [command, ...args] = step.run;
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const ok = await new Promise((resolve) => {
    child.once('error', () => resolve(false));
    child.once('exit', (code) => resolve(code === 0));
  });
  note(step, ok, started);
}

const began = performance.now();
const beside = [];
for (const step of steps) {
  if (step.alone) await Promise.all(beside);
  if (step.beside) beside.push(startBeside(step));
  else await runStep(step);
}
rmSync(results, { recursive: true, force: true });

if (failures.length > 0) {
  process.stdout.write('\n== failed tests\n');
  for (const { test, where, message } of failures)
    process.stdout.write(`${where}: ${test}\n${message.map((line) => `    ${line}\n`).join('')}`);
}
process.stdout.write('\n== minutes\n');
for (const { step, ok, minutes, counted } of table) {
  const tests = step.counts ? `  ${counted.passed} passed, ${counted.failed} failed` : '';
  process.stdout.write(`${minutes.toFixed(2).padStart(6)}  ${ok ? 'ok    ' : 'FAILED'}  ${step.name}${tests}\n`);
}
process.stdout.write(`${((performance.now() - began) / 60_000).toFixed(2).padStart(6)}  in all\n\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exit(total.failed === 0 ? 0 : 1);
