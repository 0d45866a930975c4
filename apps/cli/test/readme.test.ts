import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonOf } from '../src/bench/report-json.ts';
import type { Mark } from '../src/bench/rows.ts';
import { exitCodes } from '../src/exit-codes.ts';
import type { Json } from '../src/json.ts';
import { sampleReport, sampleRow } from './bench/reports.ts';
import { root } from './platform.ts';
import { allCommands } from './program.ts';

describe('README.md', () => {
  it('has every command and every exit status', async () => {
    const page = await readFile(path.join(import.meta.dirname, '..', 'README.md'), 'utf8');
    const commands = allCommands();
    expect(commands).toHaveLength(47);
    const spans = [...page.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
    const named = spans.map((span) => /^[a-z]+(?: [a-z]+)*/.exec(span)?.[0]);
    expect(commands.filter((command) => !named.includes(command))).toEqual([]);
    const statuses = [...page.matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1]));
    expect(statuses).toEqual(Object.values(exitCodes).sort((one, other) => one - other));
  });
});

describe('docs/bench.md', () => {
  it('has every field of the document and every mark', async () => {
    const page = await readFile(path.join(root, 'docs', 'bench.md'), 'utf8');
    const named = new Set([...page.matchAll(/`([^`\n]+)`/g)].flatMap((match) => match[1]!.split(/[:[\]\s]+/)));
    const open = sampleRow(1, { isOpenLoop: true });
    const { settings, ...document } = jsonOf(sampleReport({ rows: [open] })) as { settings: Json };
    expect(settings).toBeTypeOf('object');
    expect(['settings', ...fieldsOf(document)].filter((field) => !named.has(field))).toEqual([]);
    const marks: Record<Mark, true> = {
      invalid: true,
      unstable: true,
      failures: true,
      interrupted: true,
      late: true,
      held: true,
    };
    const listed = [...page.matchAll(/^\| `([a-z]+)` +\| [^|]+ \| (?:yes|no) /gm)].map((match) => match[1]);
    expect(listed.sort()).toEqual(Object.keys(marks).sort());
  });
});

/** Names of fields at any depth. */
function fieldsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(fieldsOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...fieldsOf(inner)]);
}
