import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { titlesOf } from '@sluice/testkit/spec-page';
import { expect, it } from 'vitest';
import { defaultLimits } from '../src/http2/limits.ts';
import { received, sendable, streamStates } from '../src/http2/stream-states.ts';
import type { Verdict } from '../src/http2/stream-states.ts';

/** What becomes of a requirement. `but` says where we keep to it otherwise than a reader might think. */
type Entry =
  | { readonly test: readonly string[]; readonly but?: string }
  | { readonly excluded: string }
  | { readonly open: string };

const project = join(import.meta.dirname, '..');
const textOf = (file: string): string => readFileSync(join(project, file), 'utf8');
const requirementsText = textOf('conformance/requirements.json');
const coverageText = textOf('conformance/coverage.json');
const requirements = JSON.parse(requirementsText) as Readonly<Record<string, string>>;
const coverage = JSON.parse(coverageText) as Readonly<Record<string, Entry>>;
const page = textOf('SPEC.md');

/** What has no test yet, and is to have one. Nothing is added here without need. */
const mayBeOpen: readonly string[] = [];

/** Tests of the project, with the text of their files. */
const tests = ['src', 'test'].flatMap((folder) =>
  readdirSync(join(project, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => textOf(join(folder, file)))
    .flatMap((source) =>
      titlesOf(source).map(({ group, title }) => ({ source, whole: group === '' ? title : `${group} > ${title}` })),
    ),
);

const parameter = /%[sijd]|\$\w+/g;
const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Whether there is a test of this title, as it stands in its file or with what a row of its table has in place of the parameters. */
function isThere(title: string): boolean {
  return tests.some(({ source, whole }) => {
    if (whole === title) return true;
    const [first = '', ...others] = whole.split(parameter);
    if (others.length === 0) return false;
    const match = new RegExp(`^${[first, ...others].map(literal).join('(.+)')}$`).exec(title);
    // A row names itself by a string, or by a key of an object.
    return match?.slice(1).every((part) => source.includes(`'${part}'`) || source.includes(`\n  ${part}: `)) === true;
  });
}

const twice = (text: string): string[] => {
  const ids = Array.from(text.matchAll(/^ {2}"(\d+ [^"]+)":/gm), ([, id]) => id!);
  expect(ids.length).toBeGreaterThan(200);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
};

/** Rows of the table of a page that begins with these columns, without them. */
function rowsOf(...columns: readonly string[]): string[][] {
  const rows = page.split('\n').map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const begin = rows.findIndex((cells) => cells.length > 0 && columns.every((column, at) => cells[at] === column));
  if (begin < 0) throw new Error(`SPEC.md has no table of ${columns.join(', ')}`);
  const end = rows.findIndex((cells, at) => at > begin && cells.length === 0);
  return rows.slice(begin + 2, end);
}

it('every requirement has a place and a hash, once', () => {
  for (const [id, hash] of Object.entries(requirements)) {
    expect(id).toMatch(/^(?:9113|7541) (?:\d+|[A-Z])(?:\.\d+)*#\d+$/);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  }
  expect(twice(requirementsText)).toEqual([]);
});

it('every requirement is tested, or excluded for a reason', () => {
  expect(Object.keys(requirements).filter((id) => !(id in coverage))).toEqual([]);
  const without = Object.entries(coverage).filter(([, entry]) => {
    if ('test' in entry) return entry.test.length === 0 || entry.but === '';
    return ('excluded' in entry ? entry.excluded : entry.open).length < 10;
  });
  expect(without).toEqual([]);
});

it('nothing is covered that is no requirement, or twice', () => {
  expect(Object.keys(coverage).filter((id) => !(id in requirements))).toEqual([]);
  expect(twice(coverageText)).toEqual([]);
  const same = Object.entries(coverage).filter(
    ([, entry]) => 'test' in entry && new Set(entry.test).size < entry.test.length,
  );
  expect(same).toEqual([]);
});

it('every entry is of one kind', () => {
  const kinds = Object.values(coverage).map((entry) => Object.keys(entry).join(' '));
  expect([...new Set(kinds)].sort()).toEqual(['excluded', 'test', 'test but']);
});

it('every test that holds us to a requirement is there', () => {
  const named = Object.entries(coverage).flatMap(([id, entry]) =>
    'test' in entry ? entry.test.map((title) => ({ id, title })) : [],
  );
  expect(named.filter(({ title }) => !isThere(title))).toEqual([]);
  expect([isThere('a title > that nobody has'), isThere('a frame that ends the connection > is nothing')]).toEqual([
    false,
    false,
  ]);
});

it('open is only what may be', () => {
  const open = Object.entries(coverage).filter(([, entry]) => 'open' in entry);
  expect(open.map(([id]) => id)).toEqual(mayBeOpen);
});

it.each([9113, 7541])('SPEC.md counts what there is of RFC %i', (rfc) => {
  const counts = new Map<string, number[]>();
  const count = (section: string, column: number): void => {
    const row = counts.get(section) ?? [0, 0, 0, 0];
    row[0]!++;
    row[column]!++;
    counts.set(section, row);
  };
  for (const id of Object.keys(requirements)) {
    const [, of, section] = /^(\d+) (.+)#/.exec(id) as unknown as [string, string, string];
    if (Number(of) !== rfc) continue;
    const entry = coverage[id]!;
    const column = 'test' in entry ? 1 : 'excluded' in entry ? 2 : 3;
    count(section, column);
    count('all', column);
  }
  const all = counts.get('all')!;
  counts.delete('all');
  const rows = [...counts, ['all', all] as const].map(([section, row]) => [section, ...row.map(String)]);
  expect(rowsOf(`RFC ${rfc}`, 'requirements', 'tested', 'excluded', 'open')).toEqual(rows);
});

it('SPEC.md has the states of streams as the code has them', () => {
  const words = (verdict: Verdict): string => {
    if (typeof verdict === 'string') return verdict;
    return 'stream' in verdict ? `stream ${verdict.stream}` : `connection ${verdict.connection}`;
  };
  expect(rowsOf('a frame that arrives', ...streamStates)).toEqual(
    Object.keys(received.idle).map((type) => [
      type,
      ...streamStates.map((state) => words(received[state][type as keyof typeof received.idle])),
    ]),
  );
  expect(rowsOf('state', 'frames that may be sent')).toEqual(
    streamStates.map((state) => [state, [...sendable[state]].join(', ') || 'none']),
  );
});

it('SPEC.md has the limits with their defaults', () => {
  const { floods, ...limits } = defaultLimits;
  const defaults = Object.entries(limits).map(([name, value]) => [`\`${name}\``, value.toLocaleString('en')]);
  const ofFloods = Object.entries(floods).map(([kind, { burst, perSecond }]) => [
    `\`floods.${kind}\``,
    `${burst.toLocaleString('en')}, ${perSecond.toLocaleString('en')} a second`,
  ]);
  const rows = rowsOf('limit', 'default', 'what is beyond it');
  expect(rows.map(([name, value]) => [name, value])).toEqual([...defaults, ...ofFloods]);
  expect(rows.filter(([, , what]) => what === '')).toEqual([]);
});
