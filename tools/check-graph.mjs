// Holds the project graph to its rules: a lint rule sees one import at a time, this sees the whole. Without it a gap in
// the analysis (an edge that is not seen) would make `nx affected` skip tests in silence.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { createProjectGraphAsync } from '@nx/devkit';
import { root } from './pinned-node.mjs';

const layers = [
  'contract',
  'domain',
  'engine',
  'platform',
  'transport',
  'persistence',
  'app',
  'example',
  'test',
  'bench',
  'tool',
];
const expected = JSON.parse(readFileSync(path.join(root, 'tools', 'expected-graph.json'), 'utf8'));
const problems = [];
const graph = await createProjectGraphAsync({ exitOnError: true });

const tagged = (project, prefix) =>
  (graph.nodes[project]?.data.tags ?? [])
    .filter((tag) => tag.startsWith(prefix))
    .map((tag) => tag.slice(prefix.length));
const edgesOf = (project, implicit) =>
  (graph.dependencies[project] ?? []).filter(
    (edge) => edge.target in graph.nodes && (edge.type === 'implicit') === implicit,
  );

/** Workspace packages that a project's sources import, by package name. */
function importsOf(folder, part) {
  const found = new Set();
  const from = path.join(root, folder, part);
  if (!existsSync(from)) return found;
  for (const file of readdirSync(from, { recursive: true })) {
    if (!file.endsWith('.ts') || file.includes('node_modules')) continue;
    const text = readFileSync(path.join(from, file), 'utf8');
    for (const [, name] of text.matchAll(/(?:from\s+|import\s*\(?\s*)['"](@sluice\/[a-z-]+)\//g)) found.add(name);
  }
  return found;
}

for (const [project, node] of Object.entries(graph.nodes)) {
  const [layer, scope] = [tagged(project, 'layer:'), tagged(project, 'scope:')];
  if (layer.length !== 1 || !layers.includes(layer[0]))
    problems.push(`${project}: one layer: tag of ${layers.join(', ')}`);
  if (scope.length !== 1) problems.push(`${project}: one scope: tag`);
  for (const edge of edgesOf(project, false))
    if (tagged(edge.target, 'layer:').includes('app')) problems.push(`${project} imports the app ${edge.target}`);
  const manifest = JSON.parse(readFileSync(path.join(root, node.data.root, 'package.json'), 'utf8'));
  const declared = { ...manifest.dependencies, ...manifest.devDependencies };
  const used = new Set([...importsOf(node.data.root, 'src'), ...importsOf(node.data.root, 'test')]);
  for (const name of Object.keys(declared))
    if (name.startsWith('@sluice/') && !used.has(name))
      problems.push(`${project} declares ${name} and never imports it`);
  for (const name of used)
    if (name !== manifest.name && !(name in declared))
      problems.push(`${project} imports ${name} and does not declare it`);
}

for (const [project, targets] of Object.entries(expected)) {
  const present = new Set((graph.dependencies[project] ?? []).map((edge) => edge.target));
  for (const target of targets)
    if (!present.has(target))
      problems.push(`${project} -> ${target} is expected (tools/expected-graph.json) and missing`);
}

/** Import cycles among the files of one project; `import type` costs nothing at run time and does not count. */
function cyclesIn(folder) {
  const from = path.join(root, folder, 'src');
  if (!existsSync(from)) return [];
  const edges = new Map();
  for (const file of readdirSync(from, { recursive: true })) {
    if (!file.endsWith('.ts')) continue;
    const text = readFileSync(path.join(from, file), 'utf8');
    const targets = [...text.matchAll(/^(?:import|export)\s+(?!type\b)[^;]*?from\s+'(\.[^']+)'/gm)].map(([, to]) =>
      path.normalize(path.join(path.dirname(file), to)),
    );
    edges.set(path.normalize(file), targets);
  }
  const state = new Map();
  const found = [];
  const visit = (file, trail) => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') return void found.push([...trail.slice(trail.indexOf(file)), file].join(' -> '));
    state.set(file, 'open');
    for (const next of edges.get(file) ?? []) visit(next, [...trail, file]);
    state.set(file, 'done');
  };
  for (const file of edges.keys()) visit(file, []);
  return found;
}
for (const node of Object.values(graph.nodes))
  for (const cycle of cyclesIn(node.data.root)) problems.push(`${node.data.root}: import cycle ${cycle}`);

for (const problem of problems) process.stdout.write(`${problem}\n`);
const count = Object.values(graph.dependencies)
  .flat()
  .filter((edge) => edge.target in graph.nodes).length;
process.stdout.write(`${Object.keys(graph.nodes).length} projects, ${count} edges, ${problems.length} problems\n`);
process.exit(problems.length === 0 ? 0 : 1);
