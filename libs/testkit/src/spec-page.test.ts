import { expect, it } from 'vitest';
import { rulesOf, titlesOf, unheld, wrongIds } from './spec-page.ts';

const page = `# A page

| file | what |
| --- | --- |
| a | b |

| id  | rule | test |
| --- | ---- | ---- |
| A1  | one \\| two | counts |
| a2  | two  |      |

| id | type | sent | test |
| -- | ---- | ---- | ---- |
| A1 | 7 | both | a group > is sent |
`;

it('rules are the rows of tables that say so, with the last column', () => {
  expect(rulesOf(page)).toEqual([
    { id: 'A1', test: 'counts' },
    { id: 'a2', test: '' },
    { id: 'A1', test: 'a group > is sent' },
  ]);
});

it('ids that are none, or that stand twice, are found', () => {
  expect(wrongIds(rulesOf(page))).toEqual(['a2', 'A1']);
});

const source = `
it('counts', () => {
  expect(it('is no title here')).toBe(1);
});

describe('a group', () => {
  test.each([
    ['a', frame(1)],
    ['b', frame(2)],
  ] as const)('is sent', () => undefined);

  it("has its owner's title", () => undefined);
});

it.each([1, 2])(
  'stands alone: %d',
  () => undefined,
);

describe.each(['x'])('of %s', () => {
  it('is there', () => undefined);
});
`;

it('titles are those of tests and of tables of tests, with their groups', () => {
  expect(titlesOf(source)).toEqual([
    { group: '', title: 'counts' },
    { group: 'a group', title: 'is sent' },
    { group: 'a group', title: "has its owner's title" },
    { group: '', title: 'stands alone: %d' },
    { group: 'of %s', title: 'is there' },
  ]);
});

it('a rule that names no test, or one that there is not, is not held', () => {
  const rules = [...rulesOf(page), { id: 'A3', test: 'counts more' }];
  const left = unheld(rules, titlesOf(source), ({ title }, rule) => rule.test.endsWith(title));
  expect(left).toEqual([
    { id: 'a2', test: '' },
    { id: 'A3', test: 'counts more' },
  ]);
});
