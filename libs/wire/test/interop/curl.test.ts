import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { cleanUp, later, serve } from './echo.ts';
import { framed, missing, run } from './programs.ts';

afterEach(cleanUp);

/** A file that is gone behind the test. */
function file(octets: Uint8Array): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-wire-'));
  later(() => rmSync(folder, { recursive: true }));
  const name = path.join(folder, 'request');
  writeFileSync(name, octets);
  return name;
}

const prior = ['-sS', '--http2-prior-knowledge'];
const grpc = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];

const noCurl = missing('curl');
describe.skipIf(noCurl !== undefined)(`curl${noCurl === undefined ? '' : `: ${noCurl}`}`, () => {
  const curl = (url: string, body: Uint8Array, ...parameters: string[]) =>
    run('curl', [...prior, '--data-binary', `@${file(body)}`, ...parameters, url]);

  it('sends a body of gRPC and gets one back', async () => {
    const { address, failures } = await serve();
    const url = `http://${address}/test.Echo/Unary`;
    for (const size of [0, 5, 30_000, 3_000_000]) {
      const body = framed(Buffer.alloc(size, 'curl'));
      const { out, code } = await curl(url, body, ...grpc);
      expect([code, out.equals(body)]).toEqual([0, true]);
    }
    const zipped = gzipSync(Buffer.alloc(100_000, 'a'));
    const compressed = Buffer.concat([Buffer.from([1]), framed(zipped).subarray(1)]);
    const inflated = await curl(url, compressed, ...grpc, '-H', 'grpc-encoding: gzip');
    expect(inflated.out.equals(framed(Buffer.alloc(100_000, 'a')))).toBe(true);
    expect(failures).toEqual([]);
  });

  it('shows the fields before and behind the answer', async () => {
    const { address } = await serve();
    const shown = await curl(`http://${address}/test.Echo/Unary`, framed(Buffer.from('x')), ...grpc, '-v');
    expect(shown.err).toMatch(/< HTTP\/2 200[^]*< content-type: application\/grpc\+proto[^]*< grpc-status: 0/);
  });

  it('is told in the words of HTTP that it did not send gRPC', async () => {
    const { address } = await serve();
    const url = `http://${address}/test.Echo/Unary`;
    const status = ['-o', '/dev/null', '-w', '%{http_code} %{http_version}'];
    // Without a body: curl 7 forgets an answer behind which its stream is reset before it has sent all.
    const json = await run('curl', [...prior, '-H', 'content-type: application/json', '-X', 'POST', ...status, url]);
    expect(json.out.toString()).toBe('415 2');
    const get = await run('curl', [...prior, ...status, `http://${address}/`]);
    expect(get.out.toString()).toBe('405 2');
  });

  it('fails at once where it speaks HTTP/1.1', async () => {
    const { address, failures } = await serve();
    const { code } = await run('curl', ['-sS', '--http1.1', '-m', '5', `http://${address}/`]);
    // 1: an answer of another protocol, 52 and 56: none.
    expect([1, 52, 56]).toContain(code);
    expect(failures).toHaveLength(1);
  });
});

const noNghttp = missing('nghttp') ?? missing('h2load');
describe.skipIf(noNghttp !== undefined)(`nghttp and h2load${noNghttp === undefined ? '' : `: ${noNghttp}`}`, () => {
  it('nghttp shows every frame of a call', async () => {
    const { address, failures } = await serve();
    const name = file(framed(Buffer.from('hello')));
    const url = `http://${address}/test.Echo/Unary`;
    const { out, code } = await run('nghttp', ['-v', '-d', name, ...grpc, url]);
    const text = out.toString();
    expect(code).toBe(0);
    expect(text).toMatch(/recv \(stream_id=\d+\) :status: 200/);
    expect(text).toMatch(/recv \(stream_id=\d+\) grpc-status: 0/);
    expect(text).not.toMatch(/RST_STREAM|INVALID|PROTOCOL_ERROR/);
    expect(failures).toEqual([]);
  });

  it('nghttp with small windows, padding and fields in CONTINUATION frames', async () => {
    // It sends more fields than the default allows.
    const { address, failures } = await serve({ limits: { maxHeaderListSize: 65_536, maxHeaderBlock: 65_536 } });
    const body = framed(Buffer.alloc(300_000, 'n'));
    const name = file(body);
    const odd = ['-w', '10', '-b', '64', '--header-table-size=0', '--continuation'];
    const { out, code } = await run('nghttp', [...odd, '-d', name, ...grpc, `http://${address}/test.Echo/Unary`]);
    expect([code, out.equals(body)]).toEqual([0, true]);
    expect(failures).toEqual([]);
  });

  it.each([
    ['one call at a time', ['-c', '1', '-m', '1', '-n', '500']],
    ['a thousand streams on each of four connections', ['-c', '4', '-m', '1000', '-n', '20000']],
    ['fifty connections with small windows', ['-c', '50', '-m', '10', '-n', '5000', '-w', '8']],
  ])('h2load: %s', async (_name, parameters) => {
    const { address, failures } = await serve();
    const name = file(framed(Buffer.alloc(400, 'h')));
    const { out } = await run('h2load', [...parameters, '-d', name, ...grpc, `http://${address}/test.Echo/Unary`]);
    const total = parameters[parameters.indexOf('-n') + 1]!;
    expect(out.toString()).toContain(
      `${total} total, ${total} started, ${total} done, ${total} succeeded, 0 failed, 0 errored, 0 timeout`,
    );
    expect(failures).toEqual([]);
  });
});
