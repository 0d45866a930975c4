import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { certificatesIn } from '../src/certificates.ts';
import { Checker } from '../src/checker.ts';
import { runProgram } from '../src/child-json.ts';
import type { LoadJob, LoadResult } from '../src/h2load.ts';
import { hasH2load, runH2load } from '../src/h2load.ts';
import { scrape } from '../src/scrape.ts';
import { startHelperSubject, type Subject } from '../src/subject.ts';
import type { TlsFiles } from '../src/tls-files.ts';
import { grpcFrame } from '../src/workloads.ts';

const checks = ['one', 'two'].map((text) => ({ message: Buffer.from(text), expected: undefined }));
let folder: string;
let tls: TlsFiles;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-bench-'));
  tls = await certificatesIn(path.join(folder, 'tls'))();
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

test('certificates are written once, when they are asked for, and the key is for its owner alone', async () => {
  const lazy = certificatesIn(path.join(folder, 'lazy'));
  await expect(stat(path.join(folder, 'lazy'))).rejects.toThrow('ENOENT');
  const files = await lazy();
  const key = await readFile(files.key, 'utf8');
  expect(await lazy()).toEqual(files);
  expect(await readFile(files.key, 'utf8')).toBe(key);
  expect((await stat(files.key)).mode & 0o077).toBe(0);
});

describe('the echo with TLS', () => {
  let subject: Subject;
  let stop: () => void;
  let job: LoadJob;

  beforeAll(async () => {
    ({ subject, stop } = await startHelperSubject('wire-echo-tls', tls));
    const frameFile = path.join(folder, 'frame');
    await writeFile(frameFile, grpcFrame(Buffer.from('sent')));
    const { address, path: method, caFile } = subject;
    job = { address, caFile, path: method, frameFile, inFlight: 4, requests: 12, logFile: path.join(folder, 'log') };
  });
  afterAll(() => stop());

  const check = async (of: Pick<Subject, 'address' | 'path' | 'caFile'>): Promise<string | undefined> => {
    const checker = new Checker(of, checks);
    const problem = await checker.once();
    await checker.stop();
    return problem;
  };

  test('the checker trusts the authority and no other, and gets no answer without TLS', async () => {
    expect(await check(subject)).toBeUndefined();
    const { ca } = await certificatesIn(path.join(folder, 'other'))();
    expect(await check({ ...subject, caFile: ca })).toContain('status unavailable');
    expect(await check({ ...subject, caFile: undefined })).toContain('status unavailable');
  });

  test('a loop of calls of the bench itself is counted by the server, and has TLS 1.3', async () => {
    const before = (await subject.counts(undefined!)).successes;
    const result = (await runProgram('own-generator.ts', job)) as LoadResult;
    expect(result).toMatchObject({ requests: 12, failed: 0, tls: 'TLSv1.3' });
    expect((await subject.counts(undefined!)).successes - before).toBe(12);
  });

  test.skipIf(!hasH2load())('h2load has TLS 1.3 too', async () => {
    expect(await runH2load(job)).toMatchObject({ requests: 12, failed: 0, tls: 'TLSv1.3' });
  });
});

test('metrics are read by TLS, from whoever has a certificate of the authority', async () => {
  const certificate = { cert: await readFile(tls.cert), key: await readFile(tls.key) };
  const server = createServer(certificate, ({ url }, answer) => answer.end(`asked{url="${url}"} 3\n`));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    expect(await scrape(port, tls.ca)).toEqual([{ name: 'asked', labels: { url: '/metrics' }, value: 3 }]);
    await expect(scrape(port)).rejects.toThrow();
    const other = await certificatesIn(path.join(folder, 'stranger'))();
    await expect(scrape(port, other.ca)).rejects.toThrow('certificate');
  } finally {
    server.close();
  }
});
