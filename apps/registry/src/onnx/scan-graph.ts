import type { ByteSource } from '../artifacts/artifact-store.ts';
import {
  attributeFields,
  dimFields,
  entryFields,
  functionFields,
  graphFields,
  modelFields,
  nodeFields,
  opsetFields,
  shapeFields,
  sparseFields,
  tensorFields,
  tensorTypeFields,
  typeFields,
  valueFields,
} from './field-names.ts';
import type { ExternalData, GraphDim, GraphInfo, GraphTensor } from './graph-info.ts';
import { type WireField, type WireLimits, WireReader } from './wire-reader.ts';

export interface ScanLimits extends WireLimits {
  /** Subgraphs inside subgraphs. */
  readonly maxDepth: number;
  /** Dimensions of one tensor. */
  readonly maxRank: number;
  /** Inputs, outputs, operator sets, metadata entries and kinds of operators, each. */
  readonly maxEntries: number;
}

export const defaultScanLimits: ScanLimits = {
  maxFields: 5_000_000,
  maxTextBytes: 64 * 1024 * 1024,
  windowBytes: 64 * 1024,
  maxDepth: 32,
  maxRank: 64,
  maxEntries: 10_000,
};

/**
 * Reads what the registry needs to know of an ONNX file without loading it: weights are seeked over, so a file of
 * many gigabytes costs a few reads. Throws `invalid-argument` naming field and byte offset when the bytes are not an
 * ONNX model, are truncated, or go over a limit.
 */
export async function scanGraph(source: ByteSource, limits: Partial<ScanLimits> = {}): Promise<GraphInfo> {
  return new GraphScanner(source, { ...defaultScanLimits, ...limits }).scan();
}

interface Entry {
  readonly key: string;
  readonly value: string;
}

const valueKinds: Readonly<Record<number, GraphTensor['kind']>> = {
  1: 'tensor',
  4: 'sequence',
  5: 'map',
  7: 'opaque',
  8: 'sparse-tensor',
  9: 'optional',
};

class GraphScanner {
  readonly #reader: WireReader;
  readonly #limits: ScanLimits;
  readonly #operators = new Map<string, number>();
  readonly #external: ExternalData[] = [];
  readonly #initializers = new Set<string>();
  readonly #opsets: { domain: string; version: number }[] = [];
  readonly #metadata = new Map<string, string>();
  readonly #inputs: GraphTensor[] = [];
  readonly #outputs: GraphTensor[] = [];
  readonly #numbers = { irVersion: 0, modelVersion: 0, nodes: 0, initializers: 0, initializerBytes: 0 };
  readonly #texts = { producerName: '', producerVersion: '', domain: '', graphName: '' };
  #graphs = 0;

  constructor(source: ByteSource, limits: ScanLimits) {
    this.#reader = new WireReader(source, limits);
    this.#limits = limits;
  }

  async scan(): Promise<GraphInfo> {
    if (this.#reader.size === 0) throw this.#reader.fail('the file is empty');
    await this.#reader.message(this.#reader.size, modelFields, (field) => this.#modelField(field));
    if (this.#graphs === 0) throw this.#reader.fail('there is no graph: this is not an ONNX model');
    if (this.#graphs > 1) throw this.#reader.fail(`${this.#graphs} graphs; a model has one`);
    if (this.#opsets.length === 0) throw this.#reader.fail('there is no opset_import: this is not an ONNX model');
    const operators = [...this.#operators]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([key, count]) => {
        const cut = key.indexOf('\n');
        return { domain: key.slice(0, cut), type: key.slice(cut + 1), count };
      });
    return {
      irVersion: this.#numbers.irVersion,
      modelVersion: this.#numbers.modelVersion,
      ...this.#texts,
      opsets: this.#opsets,
      metadata: Object.fromEntries(this.#metadata),
      inputs: this.#inputs.filter((input) => !this.#initializers.has(input.name)),
      outputs: this.#outputs,
      operators,
      nodeCount: this.#numbers.nodes,
      initializerCount: this.#numbers.initializers,
      initializerBytes: this.#numbers.initializerBytes,
      externalData: this.#external,
    };
  }

  #modelField(field: WireField): Promise<void> | undefined {
    switch (field.number) {
      case 1:
        this.#numbers.irVersion = this.#reader.integer(field);
        return undefined;
      case 2:
        return this.#text(field, 'producerName');
      case 3:
        return this.#text(field, 'producerVersion');
      case 4:
        return this.#text(field, 'domain');
      case 5:
        this.#numbers.modelVersion = this.#reader.integer(field);
        return undefined;
      case 7:
        this.#graphs += 1;
        return this.#graph(this.#reader.embedded(field), 0);
      case 8:
        return this.#opset(field);
      case 14:
        return this.#metadataEntry(field);
      case 25:
        return this.#function(field);
      default:
        return undefined;
    }
  }

  async #text(field: WireField, name: 'producerName' | 'producerVersion' | 'domain' | 'graphName'): Promise<void> {
    this.#texts[name] = await this.#reader.text(field);
  }

  #bounded(count: number, what: string): void {
    if (count >= this.#limits.maxEntries) throw this.#reader.fail(`more than ${this.#limits.maxEntries} ${what}`);
  }

  async #opset(field: WireField): Promise<void> {
    this.#bounded(this.#opsets.length, 'operator sets');
    let domain = '';
    let version = 0;
    await this.#reader.message(this.#reader.embedded(field), opsetFields, (part) => {
      if (part.number === 1) return this.#reader.text(part).then((text) => void (domain = text));
      if (part.number === 2) version = this.#reader.integer(part);
      return undefined;
    });
    this.#opsets.push({ domain, version });
  }

  async #metadataEntry(field: WireField): Promise<void> {
    this.#bounded(this.#metadata.size, 'metadata entries');
    const { key, value } = await this.#entry(field);
    this.#metadata.set(key, value);
  }

  async #entry(field: WireField): Promise<Entry> {
    let key = '';
    let value = '';
    await this.#reader.message(this.#reader.embedded(field), entryFields, (part) => {
      if (part.number === 1) return this.#reader.text(part).then((text) => void (key = text));
      if (part.number === 2) return this.#reader.text(part).then((text) => void (value = text));
      return undefined;
    });
    return { key, value };
  }

  async #function(field: WireField): Promise<void> {
    await this.#reader.message(this.#reader.embedded(field), functionFields, (part) =>
      part.number === 7 ? this.#node(part, 0) : undefined,
    );
  }

  async #graph(end: number, depth: number): Promise<void> {
    if (depth > this.#limits.maxDepth) {
      throw this.#reader.fail(`subgraphs nested more than ${this.#limits.maxDepth} deep`);
    }
    await this.#reader.message(end, graphFields, (field) => {
      switch (field.number) {
        case 1:
          return this.#node(field, depth);
        case 2:
          return depth === 0 ? this.#text(field, 'graphName') : undefined;
        case 5:
          return this.#initializer(field, depth);
        case 11:
          return depth === 0 ? this.#value(field, this.#inputs) : undefined;
        case 12:
          return depth === 0 ? this.#value(field, this.#outputs) : undefined;
        case 15:
          return this.#sparse(field, depth);
        default:
          return undefined;
      }
    });
  }

  async #node(field: WireField, depth: number): Promise<void> {
    let type = '';
    let domain = '';
    await this.#reader.message(this.#reader.embedded(field), nodeFields, (part) => {
      switch (part.number) {
        case 4:
          return this.#reader.text(part).then((text) => void (type = text));
        case 5:
          return this.#attribute(part, depth);
        case 7:
          return this.#reader.text(part).then((text) => void (domain = text));
        default:
          return undefined;
      }
    });
    this.#numbers.nodes += 1;
    // 'ai.onnx' is another way to write the standard domain.
    const key = `${domain === 'ai.onnx' ? '' : domain}\n${type}`;
    const count = this.#operators.get(key);
    if (count === undefined) this.#bounded(this.#operators.size, 'kinds of operators');
    this.#operators.set(key, (count ?? 0) + 1);
  }

  async #attribute(field: WireField, depth: number): Promise<void> {
    await this.#reader.message(this.#reader.embedded(field), attributeFields, (part) => {
      switch (part.number) {
        case 5:
        case 10:
          return this.#tensor(part).then(() => undefined);
        case 6:
        case 11:
          return this.#graph(this.#reader.embedded(part), depth + 1);
        case 22:
        case 23:
          return this.#sparse(part, depth + 1);
        default:
          return undefined;
      }
    });
  }

  async #initializer(field: WireField, depth: number): Promise<void> {
    const name = await this.#tensor(field);
    this.#numbers.initializers += 1;
    if (depth === 0) this.#initializers.add(name);
  }

  async #sparse(field: WireField, depth: number): Promise<void> {
    await this.#reader.message(this.#reader.embedded(field), sparseFields, async (part) => {
      if (part.number !== 1 && part.number !== 2) return;
      const name = await this.#tensor(part);
      if (part.number === 1 && depth === 0) this.#initializers.add(name);
    });
  }

  /** Reads a TensorProto but for its values, notes external data, and gives its name. */
  async #tensor(field: WireField): Promise<string> {
    let name = '';
    const marked = { external: false };
    const entries: Entry[] = [];
    await this.#reader.message(this.#reader.embedded(field), tensorFields, (part) => {
      switch (part.number) {
        case 8:
          return this.#reader.text(part).then((text) => void (name = text));
        case 13:
          this.#bounded(entries.length, 'external data entries');
          return this.#entry(part).then((entry) => void entries.push(entry));
        case 14:
          marked.external = this.#reader.integer(part) === 1;
          return undefined;
        default:
          this.#numbers.initializerBytes += part.end - part.start;
          return undefined;
      }
    });
    if (marked.external || entries.length > 0) this.#noteExternal(name, entries);
    return name;
  }

  #noteExternal(tensor: string, entries: readonly Entry[]): void {
    const values = new Map(entries.map(({ key, value }) => [key, value]));
    const location = values.get('location');
    if (location === undefined) throw this.#reader.fail(`tensor "${tensor}" is external without a location`);
    const number = (key: string): number | undefined => {
      const text = values.get(key);
      if (text === undefined) return undefined;
      if (!/^[0-9]{1,15}$/.test(text)) {
        throw this.#reader.fail(`tensor "${tensor}" has the external ${key} "${text.slice(0, 40)}", expected a number`);
      }
      return Number(text);
    };
    this.#external.push({ tensor, location, offset: number('offset') ?? 0, length: number('length') });
  }

  async #value(field: WireField, into: GraphTensor[]): Promise<void> {
    this.#bounded(into.length, 'inputs or outputs');
    let name = '';
    let type: Pick<GraphTensor, 'kind' | 'elemType' | 'shape'> = { kind: 'untyped', elemType: 0, shape: undefined };
    await this.#reader.message(this.#reader.embedded(field), valueFields, (part) => {
      if (part.number === 1) return this.#reader.text(part).then((text) => void (name = text));
      if (part.number === 2) return this.#type(part).then((read) => void (type = read));
      return undefined;
    });
    into.push({ name, ...type });
  }

  async #type(field: WireField): Promise<Pick<GraphTensor, 'kind' | 'elemType' | 'shape'>> {
    let kind: GraphTensor['kind'] = 'untyped';
    let elemType = 0;
    let shape: GraphDim[] | undefined;
    await this.#reader.message(this.#reader.embedded(field), typeFields, (part) => {
      kind = valueKinds[part.number] ?? kind;
      if (part.number !== 1) return undefined;
      return this.#reader.message(this.#reader.embedded(part), tensorTypeFields, (inner) => {
        if (inner.number === 1) elemType = this.#reader.integer(inner);
        if (inner.number === 2) return this.#shape(inner).then((read) => void (shape = read));
        return undefined;
      });
    });
    return { kind, elemType, shape };
  }

  async #shape(field: WireField): Promise<GraphDim[]> {
    const dims: GraphDim[] = [];
    await this.#reader.message(this.#reader.embedded(field), shapeFields, async (part) => {
      if (part.number !== 1) return;
      if (dims.length >= this.#limits.maxRank) throw this.#reader.fail(`more than ${this.#limits.maxRank} dimensions`);
      let dim: GraphDim = { kind: 'unknown' };
      await this.#reader.message(this.#reader.embedded(part), dimFields, (inner) => {
        if (inner.number === 1) dim = this.#size(inner);
        if (inner.number === 2) {
          return this.#reader.text(inner).then((name) => void (dim = name === '' ? dim : { kind: 'param', name }));
        }
        return undefined;
      });
      dims.push(dim);
    });
    return dims;
  }

  #size(field: WireField): GraphDim {
    const value = this.#reader.integer(field);
    // Some exporters write -1 for a dimension that they do not know.
    if (value === -1) return { kind: 'unknown' };
    if (value < 0 || !Number.isSafeInteger(value)) throw this.#reader.fail(`${value} is not the size of a dimension`);
    return { kind: 'value', value };
  }
}
