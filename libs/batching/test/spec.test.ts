import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const project = join(import.meta.dirname, '..');

interface Rule {
  readonly id: string;
  readonly test: string;
}

function rules(): Rule[] {
  const lines = readFileSync(join(project, 'SPEC.md'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const cells = /^\| ([A-Z]\d+) +\| .+ \| ([^|]+) \|$/.exec(line);
    return cells ? [{ id: cells[1]!, test: cells[2]!.trim() }] : [];
  });
}

/** The titles of all tests: what stands in quotes after `test(` or `test.each(…)(`. */
function titles(): string[] {
  const files = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && file !== 'spec.test.ts')
      .map((file) => join(project, folder, file)),
  );
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(/\btest(?:\.each\([^)]*\)|\.prop)?\(\s*'([^']+)'/g)].map(
      (match) => match[1]!,
    ),
  );
}

test('every rule of SPEC.md names a test that there is', () => {
  const all = titles();
  const without = rules().filter((rule) => !all.some((title) => title.startsWith(`${rule.id} ${rule.test}`)));
  expect(without).toEqual([]);
  expect(rules().length).toBeGreaterThan(60);
});

test('every test names a rule of SPEC.md', () => {
  const ids = new Set(rules().map((rule) => rule.id));
  expect(titles().filter((title) => !ids.has(title.split(' ')[0]!))).toEqual([]);
});

test('no rule stands twice', () => {
  const ids = rules().map((rule) => rule.id);
  expect(new Set(ids).size).toBe(ids.length);
});
