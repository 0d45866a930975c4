import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { systemClock } from '@sluice/service-kit/clock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clearLeftovers, identify, saveProcesses } from '../src/leftovers.ts';
import type { KnownProcess } from '../src/leftovers.ts';
import { isAlive } from './running-platform.ts';

const mark = 'stands-for/main.ts';
let home: string;
let standIn: ChildProcess;
let ended: Promise<unknown>;
let known: KnownProcess;
/** The same number and program, but started at another time. */
let other: KnownProcess;

beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'sluice-leftovers-'));
  standIn = spawn('/bin/sh', ['-c', 'read -r _', mark], { stdio: ['pipe', 'ignore', 'ignore'] });
  ended = once(standIn, 'exit').then(([, signal]: unknown[]) => signal);
  known = identify(standIn.pid!, mark)!;
  other = { ...known, started: '1' };
});
afterAll(async () => {
  standIn.kill('SIGKILL');
  await rm(home, { recursive: true, force: true });
});

describe('leftovers of a platform', () => {
  it('are no reason to refuse a start, nor to kill, where their numbers are used again by the same program', async () => {
    await saveProcesses(home, { supervisor: other, children: [{ name: 'router', ...other }] });
    await clearLeftovers(home, systemClock, 0);
    expect(isAlive(known.pid)).toBe(true);
  });

  it('refuse a start while the supervisor lives, and name it', async () => {
    await saveProcesses(home, { supervisor: known, children: [] });
    await expect(clearLeftovers(home, systemClock, 0)).rejects.toThrow(
      `Sluice runs from ${home} already (process ${known.pid})`,
    );
  });

  it('refuse a start for a supervisor of an earlier version too, whose list does not say when it was started', async () => {
    const { pid } = known;
    await saveProcesses(home, { supervisor: { pid, mark }, children: [] });
    await expect(clearLeftovers(home, systemClock, 0)).rejects.toThrow(`already (process ${pid})`);
  });

  it('are killed when they do not end by themselves in time', async () => {
    await saveProcesses(home, { supervisor: other, children: [{ name: 'router', ...known }] });
    await clearLeftovers(home, systemClock, 0);
    expect(await ended).toBe('SIGKILL');
  });

  it('are not sought for a number that no process has', () => {
    expect(identify(2 ** 22 + 1, mark)).toBeUndefined();
  });
});
