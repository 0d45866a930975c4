import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../src/exit-codes.ts';
import { allCommands } from './program.ts';

describe('README.md', () => {
  it('has every command and every exit status', async () => {
    const page = await readFile(path.join(import.meta.dirname, '..', 'README.md'), 'utf8');
    const commands = allCommands();
    expect(commands).toHaveLength(24);
    const spans = [...page.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
    const named = spans.map((span) => /^[a-z]+(?: [a-z]+)*/.exec(span)?.[0]);
    expect(commands.filter((command) => !named.includes(command))).toEqual([]);
    const statuses = [...page.matchAll(/^\| (\d+) +\|/gm)].map((match) => Number(match[1]));
    expect(statuses).toEqual(Object.values(exitCodes).sort((one, other) => one - other));
  });
});
