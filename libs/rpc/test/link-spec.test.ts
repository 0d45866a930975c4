import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { rulesOf, titlesIn, unheld, wrongIds } from '@sluice/testkit/spec-page';
import type { TestTitle } from '@sluice/testkit/spec-page';
import { expect, it } from 'vitest';

const folder = join(import.meta.dirname, '../src/link');
const page = readFileSync(join(folder, 'SPEC.md'), 'utf8');
const rules = rulesOf(page);
const titles = titlesIn([folder, import.meta.dirname]);
/** As vitest prints it. */
const whole = ({ group, title }: TestTitle): string => (group === '' ? title : `${group} > ${title}`);

it('every rule of SPEC.md names a test that there is', () => {
  expect(unheld(rules, titles, (title, rule) => whole(title) === rule.test)).toEqual([]);
  expect(rules.length).toBeGreaterThan(90);
});

it('every rule has an id of its own', () => {
  expect(wrongIds(rules)).toEqual([]);
});

it('no two tests have the title that a rule names', () => {
  const named = new Set(rules.map(({ test }) => test));
  const all = titles.map(whole).filter((title) => named.has(title));
  expect(all.filter((title, index) => all.indexOf(title) !== index)).toEqual([]);
});

it('below its first heading of rules the page has nothing but headings and tables of rules', () => {
  const lines = page.slice(page.indexOf('\n## ')).split('\n');
  expect(lines.filter((line) => line !== '' && !/^(## |\| )/.test(line))).toEqual([]);
  const rows = lines.filter((line) => line.startsWith('| ') && !/^\| (id|-+) +\|/.test(line));
  expect(rows).toHaveLength(rules.length);
});

it('the page says of each file of the folder what it is, and of no other', () => {
  const [, named] = /\n\| file .+\n\| -.+\n((?:\| .+\n)+)/.exec(page)!;
  const files = [...named!.matchAll(/^\| (.+?) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`([\w-]+)`/g)].map(([, name]) => `${name}.ts`),
  );
  const there = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  expect(files.sort()).toEqual(there.sort());
});
