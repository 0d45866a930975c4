import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { authority, mutualClientTls, mutualServerTls, serverTls } from '../secured.ts';
import { cleanUp, later, serve } from './echo.ts';
import { bufCurl, cCore, framed, here, missing, noCCore, run } from './programs.ts';

// They run beside each other, each with its own server; what they leave ends with the last.
afterAll(cleanUp);

const { cert, key } = mutualClientTls().current;

/** What clients read: their authorities, their certificate and its key. */
function files(): { ca: string; cert: string; key: string; body: string } {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-wire-tls-'));
  later(() => rmSync(folder, { recursive: true }));
  const texts = { ca: authority.cert, cert: cert!, key: key!, body: framed(Buffer.alloc(30_000, 'a')) };
  const named = Object.entries(texts).map(([name, octets]) => {
    const file = path.join(folder, name);
    writeFileSync(file, octets);
    return [name, file] as const;
  });
  return Object.fromEntries(named) as ReturnType<typeof files>;
}

const secured = () => serve({}, {}, undefined, mutualServerTls());
const grpc = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];
const named = (title: string, reason: string | undefined): string =>
  `${title}${reason === undefined ? '' : `: ${reason}`}`;

describe('clients that nobody here wrote, with TLS', { concurrent: true }, () => {
  it('buf curl', async () => {
    const { address, failures } = await secured();
    const { ca, cert: own, key: ownKey } = files();
    const parameters = ['--schema', path.join(here, 'echo.proto'), '--data', '{"text":"one"}', '--cacert', ca];
    const url = `https://${address}/test.Echo/Unary`;
    const { out, err } = await bufCurl([...parameters, '--cert', own, '--key', ownKey, url]);
    expect([err, JSON.parse(out.toString())]).toEqual(['', { text: 'one' }]);
    expect(failures).toEqual([]);
    expect((await bufCurl([...parameters, url])).code).not.toBe(0);
  });

  const noCurl = missing('curl');
  it.skipIf(noCurl !== undefined)(named('curl', noCurl), async () => {
    const { address, failures } = await secured();
    const { ca, cert: own, key: ownKey, body } = files();
    const url = `https://${address}/test.Echo/Unary`;
    for (const version of ['1.2', '1.3']) {
      const tls = ['--cacert', ca, '--cert', own, '--key', ownKey, `--tlsv${version}`, '--tls-max', version];
      const { code, out } = await run('curl', ['-sS', ...tls, '--data-binary', `@${body}`, ...grpc, url]);
      expect([version, code, out.equals(framed(Buffer.alloc(30_000, 'a')))]).toEqual([version, 0, true]);
    }
    expect(failures).toEqual([]);
  });

  const noNghttp = missing('nghttp') ?? missing('h2load');
  it.skipIf(noNghttp !== undefined)(named('nghttp and h2load', noNghttp), async () => {
    // They check no certificate, and h2load shows none.
    const { address, failures } = await serve({}, {}, undefined, serverTls());
    const { body } = files();
    const url = `https://${address}/test.Echo/Unary`;
    const { out } = await run('nghttp', ['-v', '-d', body, ...grpc, url]);
    expect(out.toString()).toMatch(/grpc-status: 0/);
    const load = await run('h2load', ['-n', '500', '-c', '4', '-m', '16', '-d', body, ...grpc, url]);
    expect(load.out.toString()).toMatch(/TLS Protocol: TLSv1\.3[^]*500 succeeded, 0 failed/);
    expect(failures).toEqual([]);
  });

  const noPython = noCCore();
  it.skipIf(noPython !== undefined)(named("gRPC's C core", noPython), async () => {
    const { port, failures } = await secured();
    const { ca, cert: own, key: ownKey } = files();
    const tls = [ca, own, ownKey];
    expect(await cCore('unary', `localhost:${port}`, ...tls)).toEqual([
      0, 1, 16_378, 16_379, 16_380, 65_535, 1_000_000,
    ]);
    expect(await cCore('streams', `localhost:${port}`, ...tls)).toMatchObject({
      download: 1000,
      upload: true,
      chat: true,
    });
    expect(failures).toEqual([]);
  });
});
