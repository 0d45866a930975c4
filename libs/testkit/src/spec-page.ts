import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A rule of a specification, and the title of the test that holds it. */
export interface Rule {
  readonly id: string;
  readonly test: string;
}

/** A test, as its file has it. */
export interface TestTitle {
  /** Of the `describe` that it stands in; '' outside of any. */
  readonly group: string;
  readonly title: string;
}

/** The rules of a page: the rows of its tables whose first column is `id` and whose last is `test`. */
export function rulesOf(page: string): Rule[] {
  const rules: Rule[] = [];
  let isOfRules = false;
  for (const line of page.split('\n')) {
    const cells = line.startsWith('|') ? cellsOf(line) : [];
    const [id, test] = [cells[0] ?? '', cells.at(-1) ?? ''];
    if (cells.length === 0) isOfRules = false;
    else if (id === 'id') isOfRules = test === 'test';
    else if (isOfRules && !/^-+$/.test(id)) rules.push({ id, test });
  }
  return rules;
}

const cellsOf = (line: string): string[] =>
  line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());

/** What begins a group, ends one, or is a test, also a table of tests: `it.each(…)('title'`. */
const parts = /^\}\);|^ *(describe|it|test)(?:\.\w+(?:<[^(]*>)?\([^]*?\))?\(\s*(['"])(.+?)\2/gm;

/** The tests of a file. Titles are in quotes, and a `describe` stands in no other. */
export function titlesOf(source: string): TestTitle[] {
  const titles: TestTitle[] = [];
  let group = '';
  for (const [, what, , title] of source.matchAll(parts)) {
    if (what === undefined) group = '';
    else if (what === 'describe') group = title!;
    else titles.push({ group, title: title! });
  }
  return titles;
}

/** The tests of all files in these folders and below, but those of specifications themselves (`*spec.test.ts`). */
export function titlesIn(folders: readonly string[]): TestTitle[] {
  return folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !file.endsWith('spec.test.ts'))
      .flatMap((file) => titlesOf(readFileSync(join(folder, file), 'utf8'))),
  );
}

/**
 * Rules that no test holds: they name none, or one that there is not.
 *
 * @param holds whether a test is the one that a rule names
 */
export function unheld(
  rules: readonly Rule[],
  titles: readonly TestTitle[],
  holds: (title: TestTitle, rule: Rule) => boolean,
): Rule[] {
  return rules.filter((rule) => rule.test === '' || !titles.some((title) => holds(title, rule)));
}

/** Ids that are no capital letter with a number, or that stand twice. */
export function wrongIds(rules: readonly Rule[]): string[] {
  const ids = rules.map(({ id }) => id);
  return ids.filter((id, index) => !/^[A-Z]\d+$/.test(id) || ids.indexOf(id) !== index);
}
