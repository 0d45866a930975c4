import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

/** Runs a program of this folder with one argument of JSON, and returns the JSON that it prints. */
export async function runProgram(program: string, argument: unknown): Promise<unknown> {
  const file = path.join(import.meta.dirname, program);
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@sluice/source', file, JSON.stringify(argument)],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  return JSON.parse(stdout);
}
