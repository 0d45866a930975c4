import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { createProgram } from '../src/program.ts';
import { root } from './platform.ts';

export interface Program {
  readonly child: ChildProcessByStdio<Writable, Readable | null, Readable>;
  /** What it has printed. */
  readonly text: { out: string; err: string };
  /** Its exit status. */
  readonly ended: Promise<number | null>;
}

/** Starts `sluice` as a process of its own; standard output goes to a pipe, or to an open file. */
export function startProgram(args: readonly string[], stdout: 'pipe' | number = 'pipe'): Program {
  const main = path.join(root, 'apps', 'cli', 'src', 'main.ts');
  const child = spawn(process.execPath, ['--conditions=@sluice/source', main, ...args], {
    stdio: ['pipe', stdout, 'pipe'],
  }) as Program['child'];
  const text = { out: '', err: '' };
  child.stdout?.on('data', (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text.err += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, text, ended };
}

/** Every command that does something, as it is typed: `alias set`. */
export function allCommands(): string[] {
  const namesBelow = (parent: ReturnType<typeof createProgram>, prefix = ''): string[] =>
    parent.commands.flatMap((command) => {
      const name = `${prefix}${command.name()}`;
      return command.commands.length > 0 ? namesBelow(command, `${name} `) : [name];
    });
  const contextOf = () => {
    throw new Error('no command is run');
  };
  const defaults = { registry: '', router: '', feedback: '', tlsCaFile: '', tlsCertFile: '', tlsKeyFile: '' };
  const prepare = () => Promise.resolve();
  return namesBelow(createProgram({ version: '0', defaults, prepare, contextOf }));
}
