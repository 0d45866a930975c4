import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rulesOf, titlesIn, unheld, wrongIds } from '@sluice/testkit/spec-page';
import { expect, test } from 'vitest';

const project = join(import.meta.dirname, '..');
const rules = rulesOf(readFileSync(join(project, 'src', 'spool', 'SPEC.md'), 'utf8'));
const titles = titlesIn([join(project, 'src', 'spool'), join(project, 'test')]);

test('every rule of SPEC.md names a test that there is', () => {
  expect(unheld(rules, titles, ({ title }, rule) => title.startsWith(`${rule.id} ${rule.test}`))).toEqual([]);
  expect(rules.length).toBeGreaterThan(60);
});

test('every test names a rule of SPEC.md', () => {
  const ids = new Set(rules.map((rule) => rule.id));
  expect(titles.filter(({ title }) => !ids.has(title.split(' ')[0]!))).toEqual([]);
});

test('every rule has an id of its own', () => {
  expect(wrongIds(rules)).toEqual([]);
});
