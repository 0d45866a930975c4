// Writes src/gen from protos/**: message types, the baked schema, reflection files and the typed services.
// `node generate.mjs --check` writes elsewhere and fails when src/gen differs.
import { execFileSync } from 'node:child_process';
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fromJSON } from '@grpc/proto-loader';
import protobuf from 'protobufjs';
import { generatorFlags, loaderOptions } from './src/options.ts';

const project = import.meta.dirname;
const workspace = path.resolve(project, '../..');
const require = createRequire(import.meta.url);
const header = '// Written by `nx generate contracts` from protos/**; do not edit.\n';
const bin = (name) => path.join(workspace, 'node_modules/.bin', name);

const protos = globSync('**/*.proto', { cwd: path.join(workspace, 'protos') })
  .map((file) => file.split(path.sep).join('/'))
  .sort();

function writeTypes(out) {
  // From the root with a relative include path: the headers record the path.
  execFileSync(bin('proto-loader-gen-types'), [...generatorFlags, '-I', 'protos', '-O', out, ...protos], {
    cwd: workspace,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  // One module per proto file comes with them, named by the file alone: two watch.proto would collide. methods.ts is ours.
  for (const entry of readdirSync(out, { withFileTypes: true })) if (entry.isFile()) rmSync(path.join(out, entry.name));
  for (const service of globSync('**/*.ts', { cwd: out }))
    if (readFileSync(path.join(out, service), 'utf8').includes("import type * as grpc from '@grpc/grpc-js'"))
      rmSync(path.join(out, service));
}

function bakedSchema() {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) =>
    target.startsWith('google/protobuf/') ? target : path.join(workspace, 'protos', target);
  root.loadSync(protos, { keepCase: loaderOptions.keepCase });
  root.resolveAll();
  return root.toJSON();
}

/** Compiled files by name, ours and those of the reflection and health services, exactly as buf compiles them. */
function descriptorFiles() {
  const scratch = mkdtempSync(path.join(tmpdir(), 'sluice-protos-'));
  try {
    cpSync(path.join(workspace, 'protos'), scratch, { recursive: true });
    const health = path.dirname(require.resolve('grpc-health-check/package.json'));
    const reflection = path.dirname(require.resolve('@grpc/reflection/package.json'));
    for (const [from, to] of [
      [path.join(health, 'proto/health'), 'grpc/health'],
      [path.join(reflection, 'build/proto/grpc/reflection'), 'grpc/reflection'],
    ])
      cpSync(from, path.join(scratch, to), { recursive: true });
    const set = path.join(scratch, 'set.json');
    execFileSync(bin('buf'), ['build', scratch, '-o', set, '--as-file-descriptor-set', '--exclude-source-info'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const binary = path.join(scratch, 'set.binpb');
    execFileSync(bin('buf'), ['build', scratch, '-o', binary, '--as-file-descriptor-set', '--exclude-source-info']);
    const bytes = splitFiles(readFileSync(binary));
    return JSON.parse(readFileSync(set, 'utf8')).file.map((file, index) => ({
      name: file.name,
      imports: file.dependency ?? [],
      services: (file.service ?? []).map((service) => `${file.package}.${service.name}`),
      base64: bytes[index].toString('base64'),
    }));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The members of a FileDescriptorSet: field 1, length-delimited, repeated. */
function splitFiles(set) {
  const reader = protobuf.Reader.create(set);
  const files = [];
  while (reader.pos < reader.len) {
    if (reader.uint32() !== 10) throw new Error('not a FileDescriptorSet');
    files.push(Buffer.from(reader.bytes()));
  }
  return files;
}

const kinds = {
  'false,false': 'unary',
  'false,true': 'serverStream',
  'true,false': 'clientStream',
  'true,true': 'bidi',
};

/** A module with one interface and one value per service; the method's kind is a literal type. */
function servicesModule(schema) {
  const definitions = fromJSON(schema, loaderOptions);
  const imports = new Map();
  const bodies = [];
  for (const service of findServices(protobuf.Root.fromJSON(schema).resolveAll())) {
    const fullName = service.fullName.slice(1);
    const lines = service.methodsArray.map((method) => {
      const definition = definitions[fullName][method.name];
      const request = importType(imports, method.resolvedRequestType);
      const response = importType(imports, method.resolvedResponseType);
      const kind = kinds[`${definition.requestStream},${definition.responseStream}`];
      return `  readonly ${definition.originalName}: Method<'${kind}', ${request}, ${response}>;`;
    });
    bodies.push(`/** Methods of ${fullName}. */\nexport interface ${service.name}Methods {\n${lines.join('\n')}\n}\n`);
  }
  const importLines = [...imports.values()].sort();
  const method = [
    "export type MethodKind = 'unary' | 'serverStream' | 'clientStream' | 'bidi';",
    '/** A method: `In` is what a sender may give, `Out` what a receiver gets, each as [request, response]. */',
    'export interface Method<Kind extends MethodKind, Request extends [unknown, unknown], Response extends [unknown, unknown]> {',
    '  readonly kind: Kind;',
    '  readonly request: Request;',
    '  readonly response: Response;',
    '}',
  ];
  return `${header}${importLines.join('\n')}\n\n${method.join('\n')}\n\n${bodies.join('\n')}`;
}

function findServices(namespace) {
  return (namespace.nestedArray ?? []).flatMap((child) =>
    child instanceof protobuf.Service ? [child] : findServices(child),
  );
}

function importType(imports, type) {
  const fullName = type.fullName.slice(1);
  const alias = fullName.replaceAll('.', '_');
  const file = `./${fullName.replaceAll('.', '/')}.ts`;
  imports.set(
    fullName,
    `import type { ${type.name} as ${alias}, ${type.name}__Output as ${alias}__Output } from '${file}';`,
  );
  return `[${alias}, ${alias}__Output]`;
}

function generate(out) {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  writeTypes(out);
  const schema = bakedSchema();
  const json = JSON.stringify(schema);
  writeFileSync(
    path.join(out, 'schema.ts'),
    `${header}/** protobufjs's JSON form of all of protos/**. */\nexport const schemaJson =\n  ${JSON.stringify(json)};\n`,
  );
  const files = descriptorFiles().map((file) => `  ${JSON.stringify(file)},`);
  const type = `readonly {
  readonly name: string;
  readonly imports: readonly string[];
  readonly services: readonly string[];
  readonly base64: string;
}[]`;
  writeFileSync(
    path.join(out, 'files.ts'),
    `${header}/** Compiled files: \`base64\` is a FileDescriptorProto. */\nexport const compiledFiles: ${type} = [\n${files.join('\n')}\n];\n`,
  );
  writeFileSync(path.join(out, 'methods.ts'), servicesModule(schema));
}

function tree(folder) {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
      .map((file) => [path.relative(folder, file), readFileSync(file, 'utf8')]),
  );
}

const committed = path.join(project, 'src/gen');
if (process.argv.includes('--check')) {
  const scratch = mkdtempSync(path.join(tmpdir(), 'sluice-gen-'));
  try {
    generate(scratch);
    const [fresh, old] = [tree(scratch), tree(committed)];
    const changed = [...new Set([...fresh.keys(), ...old.keys()])].filter((file) => fresh.get(file) !== old.get(file));
    if (changed.length > 0) {
      console.error(`src/gen is stale, run \`npx nx generate contracts\`:\n${changed.sort().join('\n')}`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
} else {
  generate(committed);
}
