import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFiles } from '../src/log-files.ts';

const dayMs = 86_400_000;
const noon = Math.floor(Date.now() / dayMs) * dayMs + dayMs / 2;
/** A line of half a megabyte. */
const half = (text: string): string => text.padEnd(512 * 1024 - 1, '.');

let folder: string;
let clock: FakeClock;
let problems: string[];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-logs-'));
  clock = new FakeClock(noon);
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (keep = 7): LogFiles =>
  new LogFiles({ folder, megabytes: 1, keep, clock }, (problem) => problems.push(problem));

/** What lies in the folder, in the order of the names, each file as the first words of its lines. */
const content = (): string[] =>
  readdirSync(folder)
    .sort()
    .map((file) => readFileSync(path.join(folder, file), 'utf8'))
    .map((text) => text.replaceAll(/\.*\n/g, ' ').trim());

describe('log files', () => {
  it('are rotated at their size, and no line is lost', async () => {
    const files = open();
    for (const line of ['a', 'b', 'c', 'd', 'e']) files.write('router', half(line));
    files.write('registry', 'x');
    await files.close();
    expect(content()).toEqual(['a b', 'c d', 'x', 'e']);
    expect(readdirSync(folder).sort()[0]).toMatch(/^\d{8}-1200-001-router\.log$/);
  });

  it('are rotated by the first line of a day, not before', async () => {
    const files = open();
    files.write('router', 'today');
    clock.advance(dayMs / 2 - 1);
    files.write('router', 'at 23:59:59.999');
    clock.advance(1);
    files.write('router', 'tomorrow');
    await files.close();
    expect(content()).toEqual(['today at 23:59:59.999', 'tomorrow']);
  });

  it('of an earlier day are rotated at a start, those of today are gone on with', async () => {
    for (const [name, at] of [
      ['old', noon - dayMs],
      ['new', noon],
    ] as const) {
      const file = path.join(folder, `${name}.log`);
      writeFileSync(file, 'before\n');
      utimesSync(file, at / 1000, at / 1000);
    }
    const files = open();
    for (const name of ['old', 'new']) files.write(name, 'after');
    await files.close();
    expect(content()).toEqual(['before', 'before after', 'after']);
  });

  it('are kept up to a number per name, the newest', async () => {
    const files = open(2);
    files.write('registry', 'x');
    // Several in one minute, then one a day.
    for (const line of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) files.write('router', half(line));
    for (const line of ['i', 'j']) {
      clock.advance(dayMs);
      files.write('router', line);
    }
    await files.close();
    expect(content()).toEqual(['g h', 'i', 'x', 'j']);
  });

  it('that cannot be written are told once, and the others go on', async () => {
    mkdirSync(path.join(folder, 'router.log'));
    const files = open();
    for (const name of ['router', 'registry', 'router']) files.write(name, 'line');
    await files.close();
    expect(problems).toEqual([expect.stringMatching(/^log file router\.log: EISDIR.*only shown from now on$/)]);
    expect(readFileSync(path.join(folder, 'registry.log'), 'utf8')).toBe('line\n');
  });

  it.runIf(existsSync('/dev/full'))(
    'are given up when the disk is full, and closing does not wait for them',
    async () => {
      symlinkSync('/dev/full', path.join(folder, 'router.log'));
      const files = open();
      files.write('router', 'line');
      await eventually(() => expect(problems).toHaveLength(1));
      files.write('router', 'line');
      await files.close();
      expect(problems).toEqual([expect.stringMatching(/^log file router\.log: ENOSPC/)]);
    },
  );
});
