import { execFile, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

const python = '/usr/bin/python3';
export const here = import.meta.dirname;

/** Why a program is not there, for `skip`; undefined when it is. */
export function missing(program: string, parameter = '--version'): string | undefined {
  return spawnSync(program, [parameter], { stdio: 'ignore' }).status === 0 ? undefined : `${program} is not installed`;
}

/** Why there is no client of gRPC's C core on this machine. */
export function noCCore(): string | undefined {
  return spawnSync(python, ['-c', 'import grpc'], { stdio: 'ignore' }).status === 0
    ? undefined
    : 'python3-grpcio is not installed';
}

export interface Ran {
  readonly code: number;
  readonly out: Buffer;
  readonly err: string;
}

/** Runs a program to its end, which is at most `timeoutMs` away. */
export async function run(program: string, parameters: readonly string[], timeoutMs = 30_000): Promise<Ran> {
  const options = { timeout: timeoutMs, maxBuffer: 256 * 1024 * 1024, encoding: 'buffer' } as const;
  try {
    const { stdout, stderr } = await promisify(execFile)(program, parameters, options);
    return { code: 0, out: stdout, err: stderr.toString() };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout?: Buffer; stderr?: Buffer };
    if (stdout === undefined) throw error;
    return { code: typeof code === 'number' ? code : -1, out: stdout, err: String(stderr) };
  }
}

/** Runs a part of c_core.py. @returns what it found, as JSON */
/** @param files of TLS: authorities, certificate and key */
export async function cCore(part: string, address: string, ...files: readonly string[]): Promise<unknown> {
  const { code, out, err } = await run(python, ['-B', path.join(here, 'c_core.py'), part, address, ...files]);
  if (code !== 0) throw new Error(`c_core.py ${part} ended with ${code}: ${err}`);
  return JSON.parse(out.toString());
}

const buf = path.join(path.dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')), 'bin/buf');

/** `buf curl` with gRPC; without TLS unless the last of its parameters is an address with it. */
export function bufCurl(parameters: readonly string[]): Promise<Ran> {
  const plain = parameters.at(-1)!.startsWith('https:') ? [] : ['--http2-prior-knowledge'];
  return run(process.execPath, [buf, 'curl', '--protocol', 'grpc', ...plain, ...parameters]);
}

/** A message as it travels: uncompressed, with its length before it. */
export function framed(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}
