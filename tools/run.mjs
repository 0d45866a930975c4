// `npm start`, `npm test`, `npm run bench`, `npm run soak`, `npm run example:evidence`: sets up what is missing, then hands over to the pinned Node.
// Plain JavaScript without dependencies: it runs on whatever Node the machine has.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import path from 'node:path';

const source = '--conditions=@sluice/source';
const commands = {
  start: [source, 'apps/platform/src/main.ts'],
  test: ['tools/ci.mjs'],
  bench: [source, 'tools/bench/src/main.ts'],
  soak: ['tools/soak.mjs'],
  'example:evidence': [source, 'examples/evidence/src/main.ts'],
};

const oldestNode = 20;

function fail(line) {
  process.stderr.write(`sluice: ${line}\n`);
  process.exit(1);
}

/** Runs `args` with the pinned Node until it ends, and ends the same way. */
function handOver(node, args, env) {
  const child = spawn(node, args, { env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  // The child ends itself when the channel closes, also when this process is killed.
  const forward = (signal) => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  // npm that is killed hard cannot tell us: its place is then taken by another parent.
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    // Once: a second one would be the wish to end without draining.
    clearInterval(watch);
    child.kill('SIGTERM');
  }, 500).unref();
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

async function main() {
  const [name, ...args] = process.argv.slice(2);
  if (Number(process.versions.node.split('.')[0]) < oldestNode)
    fail(`this is Node ${process.versions.node}; install Node ${oldestNode} or newer (it only starts the pinned one)`);
  const command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (command === undefined) fail(`say one of: ${Object.keys(commands).join(', ')}`);
  const { chooseNode, ensureDependencies } = await import('./dependencies.mjs');
  const { pinnedEnvironment, root } = await import('./pinned-node.mjs');
  const problem = ensureDependencies();
  if (problem !== undefined) fail(problem);
  const choice = chooseNode();
  if (choice.node === undefined) fail(choice.problem);
  const flags = command.slice(0, -1);
  const script = path.join(root, command.at(-1));
  // The services turn ONNX Runtime's reports to its makers off by themselves; tests and the bench load it too.
  const env = { ...pinnedEnvironment(process.env), ORT_DISABLE_TELEMETRY: '1' };
  handOver(choice.node, [...flags, script, ...args], env);
}

main().catch((error) => fail(error instanceof Error ? error.message : String(error)));
