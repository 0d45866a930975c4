import { spawn } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Checkpoint, RunHeader } from '../src/batch/journal.ts';
import { checkPlaces, cleanUp, lock, pathsOf, publish, readJournal, RunFiles } from '../src/batch/run-files.ts';

async function folder(): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), 'sluice-run-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
}

const header = { kind: 'run', identity: {}, version: '1' } as unknown as RunHeader;
const checkpoint = (output: number, rejects: number): Checkpoint => ({
  kind: 'checkpoint',
  after: { rows: 1, offset: 1, lines: 1 },
  output: { rows: 1, bytes: output, note: '' },
  rejects: { rows: 0, bytes: rejects },
});

describe('the files of a batch run', () => {
  it('are as long as the last checkpoint says, whatever was written after it', async () => {
    const paths = pathsOf(path.join(await folder(), 'out.csv'));
    const first = await RunFiles.create(paths);
    await first.append(header);
    await first.writeOutput(Buffer.from('a\n'));
    await first.writeRejects('x\n');
    await first.append(checkpoint(2, 2));
    await first.writeOutput(Buffer.from('lost\n'));
    await first.writeRejects('lost\n');
    await first.close();
    await appendFile(paths.journal, '{"kind":"check');
    const second = await RunFiles.resume(paths, (await readJournal(paths.journal))!);
    await second.writeOutput(Buffer.from('b\n'));
    await second.writeRejects('y\n');
    expect(second.rejectBytes).toBe(4);
    await second.append(checkpoint(4, 4));
    await second.close();
    expect(await readFile(paths.partial, 'utf8')).toBe('a\nb\n');
    expect(await readFile(paths.rejects, 'utf8')).toBe('x\ny\n');
    expect((await readJournal(paths.journal))?.checkpoints).toEqual([checkpoint(2, 2), checkpoint(4, 4)]);
  });

  it('are not gone on with when one is shorter than its journal says', async () => {
    const paths = pathsOf(path.join(await folder(), 'out.csv'));
    const files = await RunFiles.create(paths);
    await files.append(header);
    await files.writeOutput(Buffer.from('abc'));
    await files.append(checkpoint(3, 0));
    await files.close();
    await truncate(paths.partial, 2);
    const journal = (await readJournal(paths.journal))!;
    await expect(RunFiles.resume(paths, journal)).rejects.toThrow(/has 2 bytes, and the journal says 3/);
  });

  it('become the output once, and leave nothing behind but what was not scored', async () => {
    const made = await folder();
    const paths = pathsOf(path.join(made, 'out.csv'));
    await (await RunFiles.create(paths)).close();
    await publish(paths, 0, false);
    await publish(paths, 0, false);
    await cleanUp(paths, { rows: 1, bytes: 1 });
    expect(await readdir(made)).toEqual(['out.csv', 'out.csv.rejects.jsonl']);
    await cleanUp(paths, { rows: 0, bytes: 0 });
    expect(await readdir(made)).toEqual(['out.csv']);
    await rm(paths.output);
    await expect(publish(paths, 0, true)).rejects.toThrow(/was finished, and is gone/);
    expect(await readJournal(paths.journal)).toBeUndefined();
  });

  it('take the place of no file that came meanwhile, and are not taken for one that did', async () => {
    const paths = pathsOf(path.join(await folder(), 'out.csv'));
    await (await RunFiles.create(paths)).close();
    await writeFile(paths.output, "somebody's");
    await expect(publish(paths, 0, false)).rejects.toThrow(/out\.csv was made by somebody else meanwhile/);
    expect(await readFile(paths.output, 'utf8')).toBe("somebody's");
    await publish(paths, 0, true);
    expect(await readFile(paths.output, 'utf8')).toBe('');
    await expect(publish(paths, 7, true)).rejects.toThrow(/was finished, and has 0 bytes now, not 7/);
  });

  it('are not gone on with when one is gone, and are never the input', async () => {
    const made = await folder();
    const paths = pathsOf(path.join(made, 'out.csv'));
    const files = await RunFiles.create(paths);
    await files.append(header);
    await files.append(checkpoint(0, 0));
    await files.close();
    const journal = (await readJournal(paths.journal))!;
    const link = path.join(made, 'link.csv');
    await symlink(paths.partial, link);
    await expect(checkPlaces(link, paths)).rejects.toThrow(/link\.csv would be overwritten, as .*out\.csv\.partial$/);
    await rm(paths.partial);
    await expect(RunFiles.resume(paths, journal)).rejects.toThrow(/partial is gone, which the journal speaks of/);
    await writeFile(paths.output, 'x');
    await expect(checkPlaces(paths.output, paths)).rejects.toThrow(/would be overwritten/);
    await writeFile(paths.partial, 'x');
    const nowhere = pathsOf(path.join(made, 'nowhere', 'out.csv'));
    await expect(checkPlaces(paths.output, nowhere)).rejects.toThrow(/^there is no folder .*nowhere for the output$/);
    await expect(checkPlaces(path.join(import.meta.dirname, 'labels.csv'), paths)).resolves.toBeUndefined();
  });

  it('are locked against a process that lives, not against one that has ended', async () => {
    const file = path.join(await folder(), 'out.csv.lock');
    await writeFile(file, String(process.ppid));
    await expect(lock(file)).rejects.toThrow(`process ${process.ppid} is writing this output`);
    await expect(lock(path.join(file, '..', 'none', 'out.csv.lock'))).rejects.toThrow(
      /there is no folder .*none for the output/,
    );
    const child = spawn(process.execPath, ['--version'], { stdio: 'ignore' });
    await new Promise((resolve) => child.once('close', resolve));
    await writeFile(file, String(child.pid));
    const unlock = await lock(file);
    expect(await readFile(file, 'utf8')).toBe(String(process.pid));
    await unlock();
    const dying = spawn('sleep', ['0.2'], { stdio: 'ignore' });
    await writeFile(file, String(dying.pid));
    const waiting = lock(file);
    await (
      await waiting
    )();
    expect(await readdir(path.dirname(file))).toEqual([]);
  });
});
