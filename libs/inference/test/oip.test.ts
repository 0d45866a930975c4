import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import descriptor from 'protobufjs/ext/descriptor/index.js';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../..');

/** Name of a message, enum or service to what it holds, a fact per string, sorted. */
type Facts = Map<string, string[]>;

// ---- what docs/oip.md says

const page = readFileSync(join(root, 'docs/oip.md'), 'utf8');

/** Lines such as "- `Name`: 1 string a, 2 repeated int64 b" of the two sections that fix the contract. */
function tableLines(): string[] {
  const start = page.indexOf('## Service and messages');
  const end = page.indexOf('## Tensor rules');
  expect(start).toBeGreaterThan(0);
  expect(end).toBeGreaterThan(start);
  return page
    .slice(start, end)
    .split('\n')
    .filter((line) => line.startsWith('- '));
}

/** Splits at commas that are not inside <> or {}. */
function splitFields(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  for (const char of text) {
    if (char === '{' || char === '<') depth++;
    if (char === '}' || char === '>') depth--;
    if (char === ',' && depth === 0) {
      parts.push(part.trim());
      part = '';
    } else part += char;
  }
  return [...parts, part.trim()];
}

/** The full name that a short type name means inside `scope`, by protobuf's rule: the innermost that exists. */
function resolve(type: string, scope: string, names: ReadonlySet<string>): string {
  for (let at = scope; ; at = at.slice(0, Math.max(0, at.lastIndexOf('.')))) {
    const candidate = at === '' ? type : `${at}.${type}`;
    if (names.has(candidate)) return candidate;
    if (at === '') return type;
  }
}

function documentedField(text: string, scope: string, names: ReadonlySet<string>): string {
  const match = /^(\d+) (repeated )?(?:map<(\w+),\s*(\w+)>|(\w+))\s*(\w+)$/.exec(text);
  if (!match) throw new Error(`docs/oip.md: "${text}" in ${scope} is not a field`);
  const [, number, repeated = '', key, value, type, name] = match;
  const written = key ? `map<${key},${resolve(value!, scope, names)}>` : `${repeated}${resolve(type!, scope, names)}`;
  return `${number!} ${written} ${name!}`;
}

function documented(): Facts {
  const facts: Facts = new Map();
  const lines = tableLines().map((line) => {
    const match = /^- (?:(service|enum) )?`([\w.]+)`: (.+)$/.exec(line);
    if (!match) throw new Error(`docs/oip.md: "${line}" is not a fact`);
    return { kind: match[1] ?? 'message', name: match[2]!, text: match[3]! };
  });
  const names = new Set(lines.map((line) => line.name));
  for (const { kind, name, text } of lines) {
    expect(facts.has(name), `${name} is documented twice`).toBe(false);
    if (kind === 'service') facts.set(name, text.split('; ').sort());
    else if (kind === 'enum') facts.set(name, text.split(', ').sort());
    else if (text === 'empty') facts.set(name, []);
    else {
      const fields = splitFields(text).flatMap((part) => {
        const oneof = /^oneof (\w+) \{(.+)\}$/.exec(part);
        if (!oneof) return [documentedField(part, name, names)];
        return splitFields(oneof[2]!).map((field) => `${documentedField(field, name, names)} oneof ${oneof[1]!}`);
      });
      facts.set(name, fields.sort());
    }
  }
  return facts;
}

// ---- what the compiled descriptor says

const scalarNames: Readonly<Record<number, string>> = {
  1: 'double',
  2: 'float',
  3: 'int64',
  4: 'uint64',
  5: 'int32',
  8: 'bool',
  9: 'string',
  12: 'bytes',
  13: 'uint32',
};

function short(typeName: string): string {
  return typeName.replace(/^\.inference\./, '');
}

function typeOf(field: descriptor.IFieldDescriptorProto): string {
  if (field.typeName) return short(field.typeName);
  const scalar = scalarNames[field.type!];
  if (!scalar) throw new Error(`field ${field.name!} has type ${field.type!}`);
  return scalar;
}

function compiledField(field: descriptor.IFieldDescriptorProto, message: descriptor.IDescriptorProto): string {
  const repeated = Number(field.label) === 3;
  const entry = message.nestedType?.find(
    (nested) => nested.options?.mapEntry && field.typeName?.endsWith(`.${message.name!}.${nested.name!}`),
  );
  const [key, value] = entry?.field ?? [];
  const type = key && value ? `map<${typeOf(key)},${typeOf(value)}>` : `${repeated ? 'repeated ' : ''}${typeOf(field)}`;
  const oneof = Object.hasOwn(field, 'oneofIndex') ? ` oneof ${message.oneofDecl![field.oneofIndex!]!.name!}` : '';
  return `${field.number!} ${type} ${field.name!}${oneof}`;
}

function addMessage(facts: Facts, message: descriptor.IDescriptorProto, scope: string): void {
  const name = scope + message.name!;
  facts.set(name, (message.field ?? []).map((field) => compiledField(field, message)).sort());
  for (const nested of message.nestedType ?? []) if (!nested.options?.mapEntry) addMessage(facts, nested, `${name}.`);
  for (const nested of message.enumType ?? []) addEnum(facts, nested, `${name}.`);
}

function addEnum(facts: Facts, type: descriptor.IEnumDescriptorProto, scope: string): void {
  facts.set(scope + type.name!, type.value!.map((value) => `${value.number ?? 0} ${value.name!}`).sort());
}

function compiled(): Facts {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-oip-'));
  try {
    const image = join(folder, 'image.binpb');
    const buf = join(dirname(createRequire(import.meta.url).resolve('@bufbuild/buf/package.json')), 'bin/buf');
    execFileSync(process.execPath, [buf, 'build', '--path', 'protos/inference', '-o', image], { cwd: root });
    const set = descriptor.FileDescriptorSet.decode(readFileSync(image)) as unknown as descriptor.IFileDescriptorSet;
    const facts: Facts = new Map();
    for (const file of set.file) {
      expect(file.package).toBe('inference');
      expect(file.syntax).toBe('proto3');
      for (const message of file.messageType ?? []) addMessage(facts, message, '');
      for (const type of file.enumType ?? []) addEnum(facts, type, '');
      for (const service of file.service ?? []) {
        const methods = service.method!.map((method) => {
          const stream = (on: boolean | undefined) => (on ? 'stream ' : '');
          const input = stream(method.clientStreaming) + short(method.inputType!);
          return `${method.name!}(${input}) → ${stream(method.serverStreaming)}${short(method.outputType!)}`;
        });
        facts.set(service.name!, methods.sort());
      }
    }
    return facts;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('protos/inference and docs/oip.md', () => {
  const expected = documented();
  const actual = compiled();
  // The page says it in a sentence above its tables, because Triton's own file lacks the field.
  const extra = /has one field that Triton's lacks: `(\w+)`: (\d+ map<string,string> \w+)/.exec(page)!;
  expected.get(extra[1]!)!.push(extra[2]!);
  expected.get(extra[1]!)!.sort();

  it('name the same messages, enums and services', () => {
    expect([...actual.keys()].sort()).toEqual([...expected.keys()].sort());
    expect(expected.size).toBe(115);
  });

  it.each([...expected.keys()])('agree on %s', (name) => {
    expect(actual.get(name)).toEqual(expected.get(name));
  });
});
