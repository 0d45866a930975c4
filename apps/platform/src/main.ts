import path from 'node:path';
import process from 'node:process';
import { SluiceError } from '@sluice/domain/errors';
import { systemClock } from '@sluice/service-kit/clock';
import { configOrExit } from '@sluice/service-kit/main-config';
import { settings } from './config.ts';
import { findLayout } from './layout.ts';
import { actAs, ownerToActAs } from './owner.ts';
import { runPlatform } from './run-platform.ts';
import { listenForStop } from './stop.ts';

const config = configOrExit(
  'sluice platform',
  settings,
  { env: process.env, argv: process.argv.slice(2) },
  {
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
    exit: (code) => process.exit(code),
  },
);

// What services inherit: where programs are found and temporary files lie, and nothing of ours by accident.
const inherited = Object.entries(process.env).filter(([name]) =>
  /^(PATH|HOME|USER|LANG|TZ|TMPDIR|LC_.*|NODE_COMPILE_CACHE)$/.test(name),
);

const home = path.resolve(config.home);
const layout = findLayout(import.meta.dirname);
const owner = ownerToActAs(home, [layout.root, path.dirname(process.execPath)]);
if (owner !== undefined) {
  actAs(owner);
  process.stdout.write(`sluice: going on as ${owner.name}, whom ${home} belongs to\n`);
}

runPlatform({
  config,
  home,
  layout,
  clock: systemClock,
  node: process.execPath,
  env: { ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ''])), MALLOC_ARENA_MAX: '2' },
  print: (text) => void process.stdout.write(text),
  colour: process.stdout.isTTY && (process.env['NO_COLOR'] ?? '') === '',
  stop: listenForStop(process, process.stdout),
}).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const line = error instanceof SluiceError ? error.message : String(error instanceof Error ? error.stack : error);
    process.stderr.write(`sluice: ${line}\n`);
    process.exit(1);
  },
);
