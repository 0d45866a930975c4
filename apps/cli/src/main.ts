#!/usr/bin/env -S node --conditions=@sluice/source
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { text } from 'node:stream/consumers';
import { systemClock } from '@sluice/service-kit/clock';
import { runCli } from './run-cli.ts';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const interrupt = new AbortController();
process.once('SIGINT', () => interrupt.abort());
process.once('SIGTERM', () => interrupt.abort());
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader such as `head` that has seen enough.
  if (error.code === 'EPIPE') process.exit(0);
  process.stderr.write(`sluice: cannot write to standard output: ${error.message}\n`);
  process.exit(1);
});

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

// Timers of the clock keep no process alive, and a command that only waits must not end.
const alive = setInterval(() => undefined, 2 ** 30);
process.exitCode = await runCli({
  args: process.argv.slice(2),
  env: process.env,
  clock: systemClock,
  user: userName(),
  version,
  signal: interrupt.signal,
  terminal: {
    out: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    bars: process.stderr.isTTY ? process.stderr : undefined,
    input: process.stdin.isTTY ? undefined : () => text(process.stdin),
  },
});
clearInterval(alive);
