import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..', '..', '..');
const threadModule = path.join(root, 'apps', 'model-server', 'src', 'runtime', 'session-thread.ts');
const graphFile = path.join(root, 'examples', 'models', 'digits', 'linear', 'linear.onnx');

let home: string;
beforeEach(async () => (home = await mkdtemp(path.join(tmpdir(), 'sluice-home-'))));
afterEach(() => rm(home, { recursive: true, force: true }));

/** Runs a program whose home is empty, and where nothing says that it is a test: ONNX Runtime reports nothing in one. */
async function runAtHome(program: string): Promise<string[]> {
  const flags = ['--conditions=@sluice/source', '-e'];
  const env = { HOME: home, TMPDIR: home };
  await promisify(execFile)(process.execPath, [...flags, program], { cwd: path.dirname(threadModule), env });
  return readdir(home, { recursive: true });
}

it('loads a model without telling anybody: no telemetry of ONNX Runtime', async () => {
  const files = await runAtHome(`
    const { SessionThread } = await import(${JSON.stringify(threadModule)});
    const settings = { graphFile: ${JSON.stringify(graphFile)}, intraOpThreads: 1, spinning: false };
    const session = await SessionThread.start(settings, () => undefined);
    await session.close();`);
  expect(files).toEqual([]);
});

it('would see it', async () => {
  const files = await runAtHome(`
    const { InferenceSession } = await import('onnxruntime-node');
    await InferenceSession.create(${JSON.stringify(graphFile)});`);
  expect(files.some((file) => file.endsWith('onnxruntime.db'))).toBe(true);
});
