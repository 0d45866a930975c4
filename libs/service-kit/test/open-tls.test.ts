import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { SluiceError } from '@sluice/domain/errors';
import { CertificateAuthority } from '@sluice/testkit/certificates';
import { eventually } from '@sluice/testkit/eventually';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../src/logger.ts';
import { openTls } from '../src/tls/open-tls.ts';
import type { Tls, TlsFiles } from '../src/tls/open-tls.ts';

let folder: string;
let authority: CertificateAuthority;
const opened: Tls[] = [];
const at = (name: string): string => path.join(folder, name);
const none: TlsFiles = { tlsCertFile: '', tlsKeyFile: '', tlsClientCaFile: '', tlsCaFile: '' };

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-tls-'));
  authority = await CertificateAuthority.create();
  const { cert, key } = await authority.sign('one');
  await writeFile(at('cert.pem'), cert);
  await writeFile(at('key.pem'), key);
  await writeFile(at('ca.pem'), authority.cert);
  await writeFile(at('other-key.pem'), (await authority.sign('other')).key);
  await writeFile(at('text.txt'), 'no PEM at all\n');
  await writeFile(at('damaged.pem'), '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
  await writeFile(at('large.pem'), Buffer.alloc(5_000_000));
});
afterEach(() => {
  for (const tls of opened.splice(0)) tls.close();
});
afterAll(() => rm(folder, { recursive: true }));

async function start(files: Partial<TlsFiles>, clock = new FakeClock(Date.now())) {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger({ service: 't', instance: 't1', stream: { write } });
  const tls = await openTls({ ...none, ...files }, { clock, logger });
  opened.push(tls);
  const said = (): unknown[] => lines.map(({ severity, msg }) => [severity, msg]);
  return { tls, clock, said, lines };
}

const identity = () => ({ tlsCertFile: at('cert.pem'), tlsKeyFile: at('key.pem') });

describe('the files of TLS settings', () => {
  it('are for ports, for calls, or for both', async () => {
    expect((await start({})).tls).toMatchObject({ server: undefined, client: undefined });
    const { tls: ports } = await start(identity());
    expect([ports.server?.current.cert?.length, ports.server?.current.ca, ports.client]).toEqual([
      expect.any(Number),
      undefined,
      undefined,
    ]);
    const { tls: calls } = await start({ tlsCaFile: at('ca.pem') });
    expect([calls.server, calls.client?.current]).toEqual([
      undefined,
      { cert: undefined, key: undefined, ca: authority.cert },
    ]);
    const { tls: both } = await start({ ...identity(), tlsCaFile: at('ca.pem'), tlsClientCaFile: at('ca.pem') });
    expect(both.server?.current).toEqual(both.client?.current);
    expect(both.server?.current.ca).toEqual(authority.cert);
  });

  it.each<[string, () => Partial<TlsFiles>, string]>([
    [
      'a certificate alone',
      () => ({ tlsCertFile: at('cert.pem') }),
      'SLUICE_TLS_CERT_FILE needs SLUICE_TLS_KEY_FILE too',
    ],
    ['a key alone', () => ({ tlsKeyFile: at('key.pem') }), 'SLUICE_TLS_KEY_FILE needs SLUICE_TLS_CERT_FILE too'],
    [
      'clients alone',
      () => ({ tlsClientCaFile: at('ca.pem') }),
      'SLUICE_TLS_CLIENT_CA_FILE needs SLUICE_TLS_CERT_FILE too',
    ],
    ['no file', () => ({ ...identity(), tlsCertFile: at('none') }), 'SLUICE_TLS_CERT_FILE: FOLDER/none does not exist'],
    [
      'a folder',
      () => ({ ...identity(), tlsCertFile: folder }),
      'SLUICE_TLS_CERT_FILE: FOLDER cannot be read (EISDIR)',
    ],
    [
      'other text',
      () => ({ ...identity(), tlsCertFile: at('text.txt') }),
      'SLUICE_TLS_CERT_FILE: FOLDER/text.txt holds no certificate in PEM',
    ],
    [
      'a damaged one',
      () => ({ tlsCaFile: at('damaged.pem') }),
      'SLUICE_TLS_CA_FILE: FOLDER/damaged.pem holds a certificate that is damaged',
    ],
    [
      'no key',
      () => ({ ...identity(), tlsKeyFile: at('cert.pem') }),
      'SLUICE_TLS_KEY_FILE: FOLDER/cert.pem holds no private key in PEM',
    ],
    [
      'another key',
      () => ({ ...identity(), tlsKeyFile: at('other-key.pem') }),
      'SLUICE_TLS_KEY_FILE: FOLDER/other-key.pem is not the key of the certificate in FOLDER/cert.pem',
    ],
    [
      'a large file',
      () => ({ tlsCaFile: at('large.pem') }),
      'SLUICE_TLS_CA_FILE: FOLDER/large.pem has 5000000 bytes; that is no PEM file of certificates',
    ],
  ])('are refused by name: %s', async (_what, files, message) => {
    const error: unknown = await start(files()).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SluiceError);
    expect([(error as SluiceError).kind, (error as SluiceError).message.replaceAll(folder, 'FOLDER')]).toEqual([
      'failed-precondition',
      message,
    ]);
  });
});

describe('files that change', () => {
  const put = async (name: string, octets: Buffer): Promise<void> => {
    await writeFile(at(`${name}.new`), octets);
    await rename(at(`${name}.new`), at(name));
  };

  it('hold for what comes next, and wrong ones do not', async () => {
    const files = { tlsCertFile: at('live-cert.pem'), tlsKeyFile: at('live-key.pem'), tlsCaFile: at('ca.pem') };
    const [first, second] = [await authority.sign('first'), await authority.sign('second')];
    await put('live-cert.pem', first.cert);
    await put('live-key.pem', first.key);
    const { tls, clock, said } = await start(files);
    let told = 0;
    const unfollow = tls.server!.onChange(() => told++);
    clock.advance(10_000);
    // One of two files: not right yet, and said once however long it lasts.
    await put('live-cert.pem', second.cert);
    for (let looked = 0; looked < 3; looked++) {
      clock.advance(10_000);
      await eventually(() => expect(clock.pendingTimers).toBe(1));
    }
    expect(said()).toEqual([['error', 'TLS files have changed and are not right; the old ones hold']]);
    expect([told, tls.server!.current.cert]).toEqual([0, first.cert]);
    await put('live-key.pem', second.key);
    clock.advance(10_000);
    await eventually(() => expect(told).toBe(1));
    expect(tls.server!.current).toEqual({ ...second, ca: undefined });
    expect(tls.client!.current).toEqual({ ...second, ca: authority.cert });
    expect(said().at(-1)).toEqual(['info', 'TLS files have changed: new connections have the new ones']);
    unfollow();
    await put('live-cert.pem', first.cert);
    await put('live-key.pem', first.key);
    await eventually(() => expect(clock.pendingTimers).toBe(1));
    clock.advance(10_000);
    await eventually(() => expect(tls.server!.current.cert).toEqual(first.cert));
    expect(told).toBe(1);
    tls.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it('are said to be out of date soon, once a day, and when they are', async () => {
    const short = await authority.sign('short', { days: 3 });
    await put('short-cert.pem', short.cert);
    await put('short-key.pem', short.key);
    const files = { tlsCertFile: at('short-cert.pem'), tlsKeyFile: at('short-key.pem') };
    const { clock, said } = await start(files);
    expect(said()).toEqual([['warn', 'the TLS certificate is out of date in 2 days']]);
    for (const passedMs of [12 * 3_600_000, 13 * 3_600_000]) {
      await eventually(() => expect(clock.pendingTimers).toBe(1));
      clock.advance(passedMs);
    }
    await eventually(() => expect(said()).toHaveLength(2));
    expect(said()[1]).toEqual(['warn', 'the TLS certificate is out of date in 1 days']);
    await eventually(() => expect(clock.pendingTimers).toBe(1));
    clock.advance(3 * 86_400_000);
    await eventually(() => expect(said()).toHaveLength(3));
    expect(said()[2]).toEqual(['error', 'the TLS certificate is out of date: callers refuse it']);
  });
});
