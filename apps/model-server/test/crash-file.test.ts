import { closeSync, fstatSync, openSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { doingOf, ThreadMark } from '../src/runtime/thread-mark.ts';
import { CrashFile, readLastLife } from '../src/watchdog/crash-file.ts';
import { temporaryFolder } from './support/runtime.ts';

const a = { model: 'team/a', version: 1, digest: 'da' };
const b = { model: 'b', version: 2, digest: 'db' };
let folder: string;
let file: CrashFile;
let problems: unknown[];
const last = (boot = 'boot-1') => readLastLife(folder, boot);

beforeEach(() => {
  folder = temporaryFolder();
  problems = [];
  file = new CrashFile(folder, 'epoch-1', 'boot-1', (error) => problems.push(error));
});

describe('the crash file', () => {
  it('names what each thread was in native code for, and the life that it is of', () => {
    const marks = [file.takeMark(), file.takeMark(), file.takeMark()].map((start) => new ThreadMark(start));
    marks[0]!.begins(file.numberOf(a), 'running');
    marks[1]!.begins(file.numberOf(b), 'loading');
    expect(last()).toEqual({
      epoch: 'epoch-1',
      innocent: false,
      ran: [
        { ...a, doing: 'running' },
        { ...b, doing: 'loading' },
      ],
      hung: undefined,
    });
    marks[0]!.rests();
    marks[1]!.begins(file.numberOf(a), 'running');
    expect(last()?.ran).toEqual([{ ...a, doing: 'running' }]);
    expect(file.versionOf(file.numberOf(b))).toEqual(b);
    expect(file.numberOf({ ...a })).toBe(file.numberOf(a));
    expect(file.numberOf({ ...a, digest: 'other' })).not.toBe(file.numberOf(a));
  });

  it('is not written between two batches of one version, which the watchdog tells apart all the same', () => {
    const start = file.takeMark();
    const mark = new ThreadMark(start);
    const number = file.numberOf(a);
    mark.begins(number, 'running');
    const first = doingOf(start.memory);
    // As if the disk had lost it: had it been written again, it would be there again.
    const fd = openSync(path.join(folder, 'crash'), 'r+');
    writeFileSync(fd, Buffer.alloc(64 + 8 * 10));
    closeSync(fd);
    mark.begins(number, 'running');
    expect(readFileSync(path.join(folder, 'crash')).readUInt32LE(start.at)).toBe(0);
    expect(doingOf(start.memory)).toEqual({ version: number, doing: 'running', step: first!.step + 1 });
    mark.rests();
    expect(doingOf(start.memory)).toBeUndefined();
  });

  it('forgets a thread that has ended, and gives its place to the next', () => {
    const start = file.takeMark();
    new ThreadMark(start).begins(file.numberOf(a), 'running');
    file.giveMark(start);
    expect(last()?.ran).toEqual([]);
    expect(file.takeMark().at).toBe(start.at);
    file.giveMark(start);
    expect(file.takeMark().at).not.toBe(start.at);
  });

  it('says whom the watchdog blames', () => {
    new ThreadMark(file.takeMark()).begins(file.numberOf(a), 'running');
    file.blame(file.numberOf(b), 'loading');
    expect(last()?.hung).toEqual({ ...b, doing: 'loading' });
  });

  it('blames nobody once the process was told to stop, nor after the machine was started anew', () => {
    new ThreadMark(file.takeMark()).begins(file.numberOf(a), 'running');
    expect(last('boot-2')?.innocent).toBe(true);
    expect(last()?.innocent).toBe(false);
    file.stopping();
    expect(last()?.innocent).toBe(true);
  });

  it('takes what threads mark that live on when it is closed, and closes when none does', () => {
    const start = file.takeMark();
    file.numberOf(a);
    file.stopping();
    file.close();
    // Its number must not go to another file meanwhile: the thread would write there.
    const other = openSync(path.join(folder, 'other'), 'w+');
    new ThreadMark(start).begins(1, 'running');
    expect([readFileSync(path.join(folder, 'other')).length, last()]).toEqual([
      0,
      { epoch: 'epoch-1', innocent: true, ran: [{ ...a, doing: 'running' }], hung: undefined },
    ]);
    closeSync(other);
    file.giveMark(start);

    const next = new CrashFile(folder, 'epoch-2', 'boot-1', (error) => problems.push(error));
    const ended = next.takeMark();
    next.giveMark(ended);
    next.close();
    expect(() => fstatSync(ended.fd)).toThrow('EBADF');
    // Nothing writes any more, and nothing fails.
    next.blame(1, 'running');
    next.stopping();
    next.giveMark(next.takeMark());
    expect([last()?.hung, last()?.innocent, problems]).toEqual([undefined, false, []]);
  });

  it('is replaced by that of the next life', () => {
    new ThreadMark(file.takeMark()).begins(file.numberOf(a), 'running');
    new CrashFile(folder, 'epoch-2', 'boot-1', () => undefined).close();
    expect(last()).toEqual({ epoch: 'epoch-2', innocent: false, ran: [], hung: undefined });
  });

  it('that is not there, cut short or of something else says nothing, and one name cut short takes no other along', () => {
    expect(readLastLife(temporaryFolder(), '')).toBeUndefined();
    const marks = [file.takeMark(), file.takeMark()].map((start) => new ThreadMark(start));
    marks[0]!.begins(file.numberOf(a), 'running');
    marks[1]!.begins(file.numberOf(b), 'running');
    const name = path.join(folder, 'crash');
    const whole = readFileSync(name);
    truncateSync(name, whole.length - 5);
    expect(last()?.ran).toEqual([{ ...a, doing: 'running' }]);
    truncateSync(name, 1_000);
    expect(last()).toBeUndefined();
    writeFileSync(name, Buffer.concat([Buffer.from('sluice-crash-9\n'), whole.subarray(15)]));
    expect(last()).toBeUndefined();
  });

  it('on a disk that cannot be written is done without, and that is said once', () => {
    const nowhere = path.join(folder, 'not-there');
    const without = new CrashFile(nowhere, 'epoch', '', (error) => problems.push(error));
    const start = without.takeMark();
    expect(start.fd).toBe(-1);
    new ThreadMark(start).begins(without.numberOf(a), 'running');
    expect(without.versionOf(doingOf(start.memory)!.version)).toEqual(a);
    without.blame(1, 'running');
    without.stopping();
    without.giveMark(start);
    without.close();
    expect(problems).toHaveLength(1);
  });

  it('that cannot be written costs no batch', () => {
    const mark = new ThreadMark({ ...file.takeMark(), fd: 1_000_000 });
    expect(() => mark.begins(1, 'running')).not.toThrow();
    expect(() => mark.rests()).not.toThrow();
  });
});
