import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { h2loadArguments, lanes, parseLog, parseSummary, parseTimes, timed } from './h2load.ts';

test('requests in flight are spread over at most four connections', () => {
  const made = [1, 2, 16, 64, 256].map((inFlight) => {
    const { connections, streams } = lanes(inFlight);
    return [connections, streams, connections * streams];
  });
  expect(made).toEqual([
    [1, 1, 1],
    [2, 1, 2],
    [4, 4, 16],
    [4, 16, 64],
    [4, 64, 256],
  ]);
});

test('h2load is told the frame, the headers of gRPC and one thread', () => {
  const job = { address: '127.0.0.1:8001', path: '/p', frameFile: 'f', inFlight: 16, requests: 500, logFile: 'l' };
  expect(h2loadArguments(job).join(' ')).toBe(
    '-t 1 -c 4 -m 4 -n 500 -d f -H content-type: application/grpc -H te: trailers --log-file=l http://127.0.0.1:8001/p',
  );
  expect(h2loadArguments({ ...job, caFile: 'ca.pem' }).at(-1)).toBe('https://127.0.0.1:8001/p');
  // h2load's rate is that of each connection.
  expect(h2loadArguments({ ...job, perSecond: 2_000 })).toContain('--rps=500');
});

test('the summary: what is not succeeded has failed, and times come in several units', () => {
  const text = (time: string): string =>
    `progress: 100% done\n\nfinished in ${time}, 20345.67 req/s, 5.00MB/s\n` +
    'requests: 1000 total, 1000 started, 998 done, 997 succeeded, 3 failed, 2 errored, 0 timeout\n';
  expect(parseSummary(text('2.50s'))).toEqual({ requests: 1000, failed: 3, seconds: 2.5, tls: undefined });
  expect(parseSummary(text('850.00ms')).seconds).toBeCloseTo(0.85);
  expect(parseSummary(text('1.50m')).seconds).toBe(90);
  expect(() => parseSummary('h2load: not found')).toThrow('not what h2load prints');
});

test('the summary has the version of TLS, where there is one', () => {
  const text = (start: string): string =>
    `starting benchmark...\n${start}Application protocol: h2\nfinished in 1s, 5 req/s, 5B/s\n` +
    'requests: 5 total, 5 started, 5 done, 5 succeeded, 0 failed, 0 errored, 0 timeout\n';
  expect(parseSummary(text('TLS Protocol: TLSv1.3\nCipher: TLS_AES_128_GCM_SHA256\n')).tls).toBe('TLSv1.3');
  expect(parseSummary(text('')).tls).toBeUndefined();
});

test('the log has a line per request: start, status, microseconds', () => {
  expect(parseLog('1700000000000000\t200\t1500\n1700000000000100\t200\t250\n')).toEqual([1.5, 0.25]);
});

test('CPU is that of the program, whatever it prints, and its exit status is what sh ends with', () => {
  const busy =
    'const end = process.cpuUsage().user + 1e5; while (process.cpuUsage().user < end); console.log("0m9s 0m9s")';
  const run = (script: string) => spawnSync('sh', timed(process.execPath, ['-e', script]), { encoding: 'utf8' });
  const { stdout, status } = run(busy);
  expect([status, parseTimes(stdout) >= 0.1, parseTimes(stdout) < 9]).toEqual([0, true, true]);
  expect(run('process.exit(3)').status).toBe(3);
  expect(parseTimes('0m0.00s 0m0.00s\n1m2.50s 2m0.25s\n')).toBe(182.75);
  expect(() => parseTimes('finished in 1s')).toThrow('did not say what CPU');
});
