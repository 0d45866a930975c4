// Architecture alone: what may import what, and how long files and functions are. Rules about the language and about types are
// in .oxlintrc.json (ADR 104).
import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const noNetwork = ['@grpc/*', 'typeorm', 'pg', 'onnxruntime-node'];

const restrictedSyntax = [
  { selector: 'ExportAllDeclaration', message: 'Name what you export.' },
  { selector: 'ExportDefaultDeclaration', message: 'Use a named export.' },
  { selector: 'Decorator', message: 'Decorators do not run from source; use EntitySchema.' },
  {
    selector: "MemberExpression[object.name='process'][property.name='env']",
    message: 'Only main.ts reads the environment; pass configuration in.',
  },
];

/** Of what runs with every request. */
const noGetters = {
  selector: ':function ObjectExpression > Property[kind=/^[gs]et$/]',
  message: 'An object literal with a getter keeps garbage alive (ADR 84): make it a class.',
};

/** What each layer may import, as the table in docs/architecture.md has it. */
const depConstraints = [
  {
    sourceTag: 'layer:contract',
    onlyDependOnLibsWithTags: [],
    allowedExternalImports: ['@grpc/grpc-js', '@grpc/proto-loader', 'node:*', 'vitest', '@bufbuild/buf'],
  },
  {
    sourceTag: 'layer:domain',
    onlyDependOnLibsWithTags: ['layer:domain'],
    allowedExternalImports: ['vitest', 'fast-check', '@fast-check/vitest'],
  },
  {
    sourceTag: 'layer:engine',
    onlyDependOnLibsWithTags: ['layer:domain', 'layer:engine', 'layer:test'],
    // protobufjs is the oracle of the codec's tests; the rule below keeps it out of sources.
    allowedExternalImports: ['node:*', 'vitest', 'fast-check', '@fast-check/vitest', 'protobufjs', 'protobufjs/*'],
  },
  {
    sourceTag: 'layer:platform',
    onlyDependOnLibsWithTags: ['layer:domain', 'layer:platform', 'layer:test'],
    bannedExternalImports: noNetwork,
  },
  {
    sourceTag: 'layer:transport',
    onlyDependOnLibsWithTags: [
      'layer:contract',
      'layer:domain',
      'layer:platform',
      'layer:engine',
      'layer:transport',
      'layer:test',
    ],
    bannedExternalImports: ['typeorm', 'pg', 'onnxruntime-node'],
  },
  {
    sourceTag: 'layer:persistence',
    onlyDependOnLibsWithTags: ['layer:domain', 'layer:platform', 'layer:test'],
    bannedExternalImports: ['@grpc/*', 'onnxruntime-node'],
  },
  { sourceTag: 'layer:app', notDependOnLibsWithTags: ['layer:app'], bannedExternalImports: ['@grpc/*', 'opossum'] },
  {
    sourceTag: 'scope:router',
    onlyDependOnLibsWithTags: ['*'],
    bannedExternalImports: ['typeorm', 'pg', 'onnxruntime-node'],
  },
  { sourceTag: 'scope:model-server', onlyDependOnLibsWithTags: ['*'], bannedExternalImports: ['typeorm', 'pg'] },
  {
    sourceTag: 'layer:example',
    onlyDependOnLibsWithTags: ['layer:contract', 'scope:client'],
    bannedExternalImports: ['typeorm', 'pg', 'onnxruntime-node'],
  },
  { sourceTag: 'layer:test', notDependOnLibsWithTags: ['layer:app'] },
  // Measures processes from outside, with the libraries.
  { sourceTag: 'layer:bench', notDependOnLibsWithTags: ['layer:app'], bannedExternalImports: ['@grpc/*', 'opossum'] },
  { sourceTag: 'layer:tool', onlyDependOnLibsWithTags: ['layer:test'] },
];

export default tseslint.config(
  { ignores: ['**/dist/**', '**/node_modules/**', 'libs/contracts/src/gen/**', '.nx/**'] },
  {
    files: ['**/*.ts'],
    plugins: { '@nx': nx },
    languageOptions: { parser: tseslint.parser },
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        { banTransitiveDependencies: true, enforceBuildableLibDependency: false, allow: [], depConstraints },
      ],
      'max-lines': ['error', { max: 400, skipBlankLines: false, skipComments: false }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', ...restrictedSyntax],
    },
  },
  {
    // What runs with every request.
    files: ['apps/{router,model-server}/src/**/*.ts', 'libs/{batching,inference,rpc,telemetry,wire}/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/main.ts'],
    rules: {
      'no-restricted-syntax': ['error', ...restrictedSyntax, noGetters],
    },
  },
  {
    // A record of evidence is written for every attempt.
    files: ['apps/router/src/evidence/**/*.ts', 'libs/evidence/src/**/*.ts'],
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...restrictedSyntax,
        noGetters,
        { selector: "Identifier[name='JSON']", message: 'Evidence is binary (@sluice/evidence/layout): no JSON.' },
      ],
    },
  },
  {
    files: ['**/main.ts', '**/migrate.ts', '**/*.config.ts', 'tools/**'],
    rules: {
      'no-restricted-syntax': ['error', { selector: 'ExportAllDeclaration', message: 'Name what you export.' }],
    },
  },
  {
    files: ['**/*.test.ts', '**/test/**/*.ts'],
    rules: {
      'max-lines-per-function': 'off',
      'no-restricted-globals': [
        'error',
        { name: 'setTimeout', message: 'Tests do not sleep: use the fake clock, or `eventually` of libs/testkit.' },
      ],
    },
  },
  {
    files: ['**/src/**/*.ts'],
    // The bench is shipped to nobody, as tests are not.
    ignores: ['**/*.test.ts', 'libs/testkit/**', 'tools/bench/**', '**/src/rpc/**', '**/src/usecases/**'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['@sluice/testkit/*'], message: 'Only tests import testkit.' },
            { group: ['protobufjs', 'protobufjs/**'], message: 'Only tests import protobufjs, as an oracle.' },
          ],
        },
      ],
    },
  },
  { files: ['libs/testkit/**/*.ts'], rules: { 'no-restricted-globals': 'off' } },
  {
    files: ['**/src/rpc/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['**/store/**'], message: 'rpc/ calls use cases, never the store.' },
            { group: ['@sluice/testkit/*'], message: 'Only tests import testkit.' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/src/usecases/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['**/store/**', '**/rpc/**'], message: 'Use cases declare ports; compose.ts joins them.' },
            { group: ['@sluice/testkit/*'], message: 'Only tests import testkit.' },
          ],
        },
      ],
    },
  },
);
