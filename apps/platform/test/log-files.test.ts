import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { eventually } from '@sluice/testkit/eventually';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogFiles } from '../src/log-files.ts';
import type { LogFileOptions } from '../src/log-files.ts';

/** A line of half a megabyte. */
const half = (text: string): string => text.padEnd(512 * 1024 - 1, '.');

let folder: string;
let problems: string[];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-logs-'));
  problems = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (options: Partial<LogFileOptions> = {}): LogFiles =>
  new LogFiles({ folder, megabytes: 1, keep: 7, ...options }, (problem) => problems.push(problem));

const filesOf = (name: string): string[] => readdirSync(folder).filter((file) => file.endsWith(`${name}.log`));
/** The first words of all lines of a name. */
const linesOf = (name: string): string[] =>
  filesOf(name)
    .flatMap((file) => readFileSync(path.join(folder, file), 'utf8').split('\n'))
    .map((line) => line.replace(/\.*$/, ''))
    .filter((line) => line !== '')
    .sort();

describe('log files', () => {
  it('are rotated at their size, and no line is lost', async () => {
    const files = open();
    for (const line of ['a', 'b', 'c', 'd', 'e']) files.write('router', half(line));
    files.write('registry', 'x');
    await files.close();
    expect(filesOf('router').length).toBeGreaterThan(1);
    expect([linesOf('router'), linesOf('registry')]).toEqual([['a', 'b', 'c', 'd', 'e'], ['x']]);
    expect(problems).toEqual([]);
  });

  it('are rotated at their age', async () => {
    const files = open({ age: '1s' });
    files.write('router', 'first');
    await eventually(() => expect(filesOf('router').length).toBeGreaterThan(1));
    files.write('router', 'second');
    await files.close();
    const whole = filesOf('router').map((file) => readFileSync(path.join(folder, file), 'utf8'));
    expect(whole).not.toContain('first\nsecond\n');
    expect(linesOf('router')).toEqual(['first', 'second']);
  });

  it('are kept up to a number per name', async () => {
    const files = open({ keep: 2 });
    files.write('registry', 'x');
    for (let line = 0; line < 12; line += 1) files.write('router', half(`${line}`));
    await files.close();
    // Two rotated ones, and the one that is written.
    expect(filesOf('router').length).toBeLessThanOrEqual(3);
    expect(linesOf('router')).toContain('11');
    expect(linesOf('router')).not.toContain('0');
    expect(linesOf('registry')).toEqual(['x']);
  });

  it('that cannot be written are told once, and the others go on', async () => {
    mkdirSync(path.join(folder, 'router.log'));
    const files = open();
    files.write('router', 'line');
    await eventually(() => expect(problems).toHaveLength(1));
    for (const name of ['registry', 'router']) files.write(name, 'line');
    await files.close();
    expect(problems).toEqual([expect.stringMatching(/^log file router\.log: .*only shown from now on$/)]);
    expect(readFileSync(path.join(folder, 'registry.log'), 'utf8')).toBe('line\n');
  });

  it.runIf(existsSync('/dev/full'))(
    'are given up when the disk is full, and closing does not wait for them',
    async () => {
      symlinkSync('/dev/full', path.join(folder, 'router.log'));
      const files = open();
      files.write('router', 'line');
      await eventually(() => expect(problems.join()).toMatch(/^log file router\.log: /));
      files.write('router', 'line');
      await files.close();
      expect(problems).toHaveLength(1);
    },
  );
});
