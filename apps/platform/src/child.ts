import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '@sluice/domain/clock';
import type { Incarnation } from './keeper.ts';

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clock: Clock;
  /** Takes each line the process prints; standard error is where crashes are told. */
  readonly onLine: (line: string, stream: 'out' | 'err') => void;
  readonly onPid: (pid: number) => void;
}

/** What a service prints when it serves. */
export function isReadyLine(line: string): boolean {
  return line.startsWith('{') && /"msg":"ready"[,}]/.test(line);
}

/** Starts a process that is ready when it prints so, and that ends itself when we end: our end of its channel closes. */
export function startChild(options: ChildOptions): Incarnation {
  const { promise: ready, resolve: becameReady } = Promise.withResolvers<undefined>();
  const child = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A process group of its own: Ctrl-C goes to the supervisor alone, which stops its children in order.
    detached: true,
  });
  if (child.pid !== undefined) options.onPid(child.pid);
  readLines(child.stdout, (line) => {
    options.onLine(line, 'out');
    if (isReadyLine(line)) becameReady(undefined);
  });
  readLines(child.stderr, (line) => options.onLine(line, 'err'));
  const ended = endOf(child, options.clock);
  return {
    ready: ready.then(() => undefined),
    ended,
    async stop(graceMs) {
      child.kill('SIGTERM');
      const timer = options.clock.schedule(graceMs, () => child.kill('SIGKILL'));
      await ended;
      timer.cancel();
    },
  };
}

function readLines(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream, crlfDelay: Infinity }).on('line', onLine);
}

/** A grandchild may hold the pipes open: after the exit they get a moment to be read, not for ever. */
const lastLinesMs = 500;

async function endOf(child: ChildProcess, clock: Clock): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let how = 'an unknown status';
  child.once('error', (error) => resolve(error.message));
  child.once('exit', (code, signal) => {
    how = signal === null ? `status ${code ?? 'none'}` : `signal ${signal}`;
    clock.schedule(lastLinesMs, () => resolve(how));
  });
  child.once('close', () => resolve(how));
  return promise;
}
