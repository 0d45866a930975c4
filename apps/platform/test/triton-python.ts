import { execFileSync } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Printed, machine } from './running-platform.ts';

const python = '/usr/bin/python3';
/** What the client and its examples import that is not theirs. */
const imports = 'import grpc, google.protobuf, numpy, rapidjson, packaging, PIL';

/** Checkouts of Triton's repositories `client` and `common`. */
export interface TritonSources {
  readonly client: string;
  readonly common: string;
}

/** Why the examples cannot be run; undefined when they can. */
export function noTritonClient({ client, common }: Partial<Record<keyof TritonSources, string | undefined>>) {
  if (client === undefined || common === undefined) {
    return 'SLUICE_TRITON_CLIENT and SLUICE_TRITON_COMMON name no checkouts of Triton’s client and common';
  }
  try {
    execFileSync(python, ['-c', imports], { stdio: 'ignore' });
    execFileSync('protoc', ['--version'], { stdio: 'ignore' });
    execFileSync('grpc_python_plugin', [], { stdio: ['ignore', 'ignore', 'ignore'] });
    return undefined;
  } catch {
    return `${python} cannot ${imports}, or there is no protoc or no grpc_python_plugin (see the README of apps/platform)`;
  }
}

/** Triton's Python client with its own protocol compiled, as its package has it, and its examples as they are. */
export class TritonPython {
  readonly #library: string;
  readonly #examples: string;

  static async prepare({ client, common }: TritonSources, folder: string): Promise<TritonPython> {
    const library = path.join(folder, 'library');
    const generated = path.join(library, 'generated');
    await mkdir(generated, { recursive: true });
    await cp(path.join(client, 'src', 'python', 'library', 'tritonclient'), path.join(library, 'tritonclient'), {
      recursive: true,
    });
    const plugin = execFileSync('which', ['grpc_python_plugin'], { encoding: 'utf8' }).trim();
    const protos = ['grpc_service.proto', 'model_config.proto'];
    const from = ['-I', path.join(common, 'protobuf')];
    const to = [`--python_out=${generated}`, `--grpc_out=${generated}`, `--plugin=protoc-gen-grpc=${plugin}`];
    execFileSync('protoc', [...from, ...to, ...protos]);
    // The package is built with these names, inside itself.
    for (const [name, of] of [
      ['service_pb2', 'grpc_service_pb2'],
      ['service_pb2_grpc', 'grpc_service_pb2_grpc'],
      ['model_config_pb2', 'model_config_pb2'],
    ] as const) {
      const shim = `import sys\nimport ${of}\nsys.modules[__name__] = ${of}\n`;
      await writeFile(path.join(library, 'tritonclient', 'grpc', `${name}.py`), shim);
    }
    return new TritonPython(library, path.join(client, 'src', 'python', 'examples'));
  }

  constructor(library: string, examples: string) {
    this.#library = library;
    this.#examples = examples;
  }

  /** Runs an example; resolves with its status and all that it printed. */
  async run(name: string, args: readonly string[]): Promise<{ code: number | null; text: string }> {
    const paths = [this.#library, path.join(this.#library, 'generated')].join(path.delimiter);
    const variables = { ...machine, PYTHONPATH: paths, PYTHONUNBUFFERED: '1' };
    const printed = new Printed(python, ['-B', path.join(this.#examples, name), ...args], this.#examples, variables);
    return { code: await printed.ended, text: printed.text };
  }

  /** The examples that speak gRPC. */
  source(name: string): Promise<string> {
    return readFile(path.join(this.#examples, name), 'utf8');
  }
}
