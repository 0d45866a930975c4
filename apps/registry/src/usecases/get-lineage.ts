import { dataSetText, versionText } from '@sluice/domain/data-set';
import { invalidArgument, notFound } from '@sluice/domain/errors';
import type {
  LineageDirection,
  LineageKey,
  LineageRelation,
  LineageStep,
  LineageThing,
  ProvenanceReads,
} from './provenance.ts';
import type { RegistryState } from './state.ts';

export interface LineageRequest {
  readonly from: LineageKey;
  readonly direction: LineageDirection;
  /** Most steps; 0 means 10. */
  readonly depth: number;
  /** 0 means 200. */
  readonly maxNodes: number;
}

export interface LineageNode {
  readonly depth: number;
  readonly thing: LineageThing;
}

/** `child` was made by, trained on, derived from, read or served `parent`: indexes of nodes. */
export interface LineageEdge {
  readonly child: number;
  readonly parent: number;
  readonly relation: LineageRelation;
}

export interface Lineage {
  /** The first is where it begins; by distance from it. */
  readonly nodes: readonly LineageNode[];
  readonly edges: readonly LineageEdge[];
  /** There is more beyond the bounds. */
  readonly more: boolean;
}

const mostDepth = 32;
const mostNodes = 1_000;
const mostEdges = 10_000;

/**
 * All that something was made from, or all that it reached, level by level within the bounds. Errors: `not-found` naming
 * the field of where it should begin.
 */
export async function getLineage(state: RegistryState, request: LineageRequest): Promise<Lineage> {
  const depth = bound(request.depth, 10, mostDepth, 'depth');
  const maxNodes = bound(request.maxNodes, 200, mostNodes, 'max_nodes');
  return state.read(async ({ provenance }) => {
    await requireStart(provenance, request.from);
    const walk = new Walk(request.from, maxNodes);
    for (let level = 0; level <= depth && walk.frontier.length > 0; level += 1) {
      const steps = await provenance.steps(walk.frontier, request.direction, mostEdges + 1);
      walk.follow(steps, request.direction, level < depth);
    }
    const things = new Map((await provenance.things(walk.keys)).map((thing) => [textOf(thing), thing]));
    const nodes = walk.keys.map((key, index) => ({ depth: walk.depths[index]!, thing: things.get(textOf(key))! }));
    return { nodes, edges: walk.edges, more: walk.more };
  });
}

/** A walk over the graph, level by level. */
class Walk {
  readonly keys: LineageKey[] = [];
  readonly depths: number[] = [];
  readonly edges: LineageEdge[] = [];
  more = false;
  /** What was found last, and is not followed yet. */
  frontier: readonly LineageKey[];
  readonly #indexes = new Map<string, number>();
  readonly #maxNodes: number;

  constructor(from: LineageKey, maxNodes: number) {
    this.#maxNodes = maxNodes;
    this.#add(from, 0);
    this.frontier = [from];
  }

  /** Takes the steps from the frontier; `deeper`: what is not known yet may be added, and is the next frontier. */
  follow(steps: readonly LineageStep[], direction: LineageDirection, deeper: boolean): void {
    const depth = this.depths.at(-1)! + 1;
    const found: LineageKey[] = [];
    for (const { child, parent, relation } of steps) {
      const far = direction === 'up' ? parent : child;
      if (!this.#indexes.has(textOf(far)) && deeper && this.keys.length < this.#maxNodes) {
        this.#add(far, depth);
        found.push(far);
      }
      const ends = { child: this.#indexes.get(textOf(child)), parent: this.#indexes.get(textOf(parent)) };
      if (ends.child === undefined || ends.parent === undefined || this.edges.length >= mostEdges) this.more = true;
      else this.edges.push({ child: ends.child, parent: ends.parent, relation });
    }
    this.frontier = found;
  }

  #add(key: LineageKey, depth: number): void {
    this.#indexes.set(textOf(key), this.keys.length);
    this.keys.push(key);
    this.depths.push(depth);
  }
}

/** Equal for one and the same thing. */
function textOf(key: LineageKey): string {
  switch (key.kind) {
    case 'version':
      return `version ${versionText(key)}`;
    case 'data-set':
      return `data-set ${dataSetText(key)}`;
    case 'run':
    case 'release':
      return `${key.kind} ${key.id}`;
  }
}

async function requireStart(reads: ProvenanceReads, from: LineageKey): Promise<void> {
  if ((await reads.things([from])).length > 0) return;
  switch (from.kind) {
    case 'version':
      throw notFound(
        `version: ${from.model} has no version ${from.version}; \`sluice versions ${from.model}\` lists them`,
      );
    case 'data-set':
      throw notFound(
        `data_set: there is no data set version ${dataSetText(from)}; \`sluice dataset list ${from.dataSet}\` lists them`,
      );
    case 'run':
    case 'release':
      throw notFound(`run: there is no run "${from.id}"; \`sluice run list\` shows those that there are`);
  }
}

function bound(given: number, normal: number, most: number, field: string): number {
  if (given > most) throw invalidArgument(`${field}: ${given} given; expected at most ${most}`);
  return given === 0 ? normal : given;
}
