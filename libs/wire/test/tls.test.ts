import { constants } from 'node:crypto';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { CertificateAuthority } from '@sluice/testkit/certificates';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { WireServer } from '../src/server/wire-server.ts';
import type { WireServerOptions } from '../src/server/wire-server.ts';
import { tlsPolicy } from '../src/tls.ts';
import type { TlsSource } from '../src/tls.ts';
import { cleanups } from './cleanups.ts';
import { definition, echoes } from './echo-service.ts';
import { systemClock } from './peers.ts';
import { authority, mutualServerTls, serverTls } from './secured.ts';

/** A server with the echo service, and what it says of connections that failed. */
async function start(tls: TlsSource | undefined, options: Partial<WireServerOptions> = {}) {
  const failures: string[] = [];
  const connectionFailed = (_peer: string, error: Error): void => void failures.push(error.message);
  const wire = new WireServer({ clock: systemClock, events: { connectionFailed }, ...options });
  wire.addService(definition, echoes);
  const port = await wire.listen('127.0.0.1', 0, tls);
  cleanups.push(async () => {
    wire.close();
    await wire.stop();
  });
  return { wire, port, failures };
}

/** How a handshake of node:tls ended: its socket, or its error's code. */
function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, ca: authority.cert, ALPNProtocols: ['h2'], ...options });
    cleanups.push(() => socket.destroy());
    socket.once('secureConnect', () => resolve(socket));
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function secured(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = await handshake(port, options);
  if (typeof socket === 'string') throw new Error(socket);
  return socket;
}

/** The first octet that the server says, or undefined when it closes without one. */
const firstWord = (socket: TLSSocket): Promise<number | undefined> =>
  new Promise((resolve) => {
    socket.once('data', (octets: Buffer) => resolve(octets[3]));
    socket.once('close', () => resolve(undefined));
  });

/** A unary call of node:http2. */
async function echo(port: number, options: ConnectionOptions = {}): Promise<string> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.cert, ...options });
  cleanups.push(() => session.destroy());
  const message = Buffer.from([0, 0, 0, 0, 2, 104, 105]);
  return await new Promise((resolve) => {
    session.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    const stream = session.request({
      ...{ ':method': 'POST', ':path': definition.Unary.path, te: 'trailers', 'content-type': 'application/grpc' },
    });
    const got: Buffer[] = [];
    stream.on('data', (octets: Buffer) => got.push(octets));
    stream.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    stream.on('end', () => resolve(Buffer.concat(got).toString('latin1', 5)));
    stream.end(message);
  });
}

const settings = 4;

describe('the handshake of a server', () => {
  it('takes TLS 1.2 and 1.3, and nothing older', async () => {
    const { port } = await start(serverTls());
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const socket = await secured(port, { minVersion: version, maxVersion: version });
      expect([socket.getProtocol(), socket.alpnProtocol, socket.authorized]).toEqual([version, 'h2', true]);
      expect(await firstWord(socket)).toBe(settings);
    }
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' } as const;
    expect(await handshake(port, old)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
  });

  it('serves what every client has in TLS 1.2: ECDHE, RSA and AES-128-GCM on P-256', async () => {
    const rsa = await authority.sign('server with an RSA key', { key: 'rsa' });
    const { port } = await start({ current: rsa, onChange: () => () => undefined });
    const tls12 = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', ecdhCurve: 'P-256' } as const;
    const socket = await secured(port, tls12);
    expect(socket.getCipher().standardName).toBe('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256');
    expect(socket.getEphemeralKeyInfo()).toMatchObject({ type: 'ECDH', name: 'prime256v1', size: 256 });
    expect(await firstWord(socket)).toBe(settings);
  });

  it.each(['ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA384', 'AES128-GCM-SHA256', 'AES128-SHA'])(
    'has no cipher in common with one who has only a prohibited one: %s',
    async (ciphers) => {
      const rsa = await authority.sign('server with an RSA key', { key: 'rsa' });
      const { port } = await start({ current: rsa, onChange: () => () => undefined });
      expect(await handshake(port, { maxVersion: 'TLSv1.2', ciphers })).toMatch(/HANDSHAKE_FAILURE$/);
    },
  );

  it('has no compression, and does not negotiate anew', async () => {
    const { port } = await start(serverTls(), { limits: { settingsTimeoutMs: 2_000, writeTimeoutMs: 2_000 } });
    const socket = await secured(port, { maxVersion: 'TLSv1.2' });
    const renegotiated = await new Promise<Error | null>((resolve) => {
      socket.on('error', resolve);
      socket.once('close', () => resolve(new Error('closed')));
      socket.renegotiate({}, resolve);
    });
    expect(renegotiated).toBeInstanceOf(Error);
    expect(tlsPolicy.secureOptions & constants.SSL_OP_NO_COMPRESSION).not.toBe(0);
    expect(await echo(port)).toBe('hi');
  });

  it('selects h2 and nothing else, not h2c either', async () => {
    const { port, failures } = await start(serverTls());
    expect((await secured(port, { ALPNProtocols: ['http/1.1', 'h2c', 'h2'] })).alpnProtocol).toBe('h2');
    for (const ALPNProtocols of [['h2c'], ['http/1.1']])
      expect(await handshake(port, { ALPNProtocols })).toBe('ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL');
    await eventually(() => expect(failures).toHaveLength(2));
    expect(new Set(failures)).toEqual(new Set(['the client does not offer the protocol h2 (ALPN)']));
  });

  it('ends a connection on which no protocol was negotiated', async () => {
    const { port, failures } = await start(serverTls());
    expect(await firstWord(await secured(port, { ALPNProtocols: [] }))).toBeUndefined();
    await eventually(() => expect(failures).toEqual(['the protocol h2 was not negotiated (ALPN)']));
  });

  it('sends a preface when it is complete, and takes calls of node:http2', async () => {
    const { port } = await start(serverTls());
    expect(await firstWord(await secured(port))).toBe(settings);
    expect(await echo(port)).toBe('hi');
  });

  it('wants a certificate of its authority where that is asked for, within the handshake', async () => {
    const { port, failures } = await start(mutualServerTls());
    const [client, stranger] = [await authority.sign('client'), await (await CertificateAuthority.create()).sign('x')];
    expect(await echo(port, client)).toBe('hi');
    // Nothing is asked for later: who is taken has shown it already.
    const socket = await secured(port, client);
    expect(await firstWord(socket)).toBe(settings);
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect(await echo(port, { maxVersion })).toMatch(
        /ERR_SSL_TLSV1_?3?_ALERT_(CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE)|ECONNRESET|ERR_HTTP2|SSLV3_ALERT_HANDSHAKE_FAILURE/,
      );
      expect(await echo(port, { maxVersion, ...stranger })).not.toBe('hi');
    }
    await eventually(() => expect(failures).toHaveLength(4));
    expect(failures[0]).toBe('the client showed no certificate, and it needs one');
  });

  it('takes up another certificate for the next connection, and other authorities; those that stand go on', async () => {
    const tls = serverTls();
    const { port } = await start(tls);
    const before = await secured(port);
    const said = firstWord(before);
    const other = await CertificateAuthority.create('another authority');
    tls.change(await other.sign('renewed server'));
    expect(await handshake(port)).toBe('UNABLE_TO_VERIFY_LEAF_SIGNATURE');
    const after = await secured(port, { ca: other.cert });
    expect(after.getPeerCertificate().subject.CN).toBe('renewed server');
    expect(await said).toBe(settings);
    expect(before.destroyed).toBe(false);
  });

  it('takes up other authorities of clients', async () => {
    const tls = mutualServerTls();
    const { port } = await start(tls);
    const other = await CertificateAuthority.create('another authority');
    const [client, stranger] = [await authority.sign('client'), await other.sign('client')];
    expect(await echo(port, client)).toBe('hi');
    tls.change({ ...tls.current, ca: other.cert });
    expect(await echo(port, stranger)).toBe('hi');
    expect(await echo(port, client)).not.toBe('hi');
  });

  it('gives up one that takes too long', async () => {
    const { port, failures } = await start(serverTls(), { limits: { settingsTimeoutMs: 2_000 } });
    const socket = connectTcp(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(failures).toEqual(['TLS handshake timeout']);
    expect(await echo(port)).toBe('hi');
  });

  it('says what it is to those who come without TLS, and is not harmed', async () => {
    const { port, failures } = await start(serverTls());
    for (const text of ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', '\x16\x03\x01\xff\xff']) {
      const socket = connectTcp(port, '127.0.0.1', () => socket.end(text));
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
    await eventually(() => expect(failures).toHaveLength(3));
    expect(failures[1]).toBe('a request without TLS, on a port with TLS');
    expect(await echo(port)).toBe('hi');
  });

  it('is not waited for by a stop', async () => {
    const tls = serverTls();
    const { port, wire } = await start(tls);
    const socket = connectTcp(port, '127.0.0.1');
    await new Promise((resolve) => socket.once('connect', resolve));
    await eventually(() => expect(tls.followers).toBe(1));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await wire.stop();
    await closed;
    expect(tls.followers).toBe(0);
  });
});

describe('a port without TLS', () => {
  it('tells those who come with it', async () => {
    const { port, failures } = await start(undefined);
    expect(await handshake(port)).toMatch(/WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|ECONNRESET/);
    await eventually(() => expect(failures).toEqual(['this port has no TLS, and the client came with it']));
  });
});

describe('connections beyond the limit', () => {
  it('are refused before their handshake, and those that stand go on', async () => {
    const { wire, port } = await start(serverTls(), { maxConnections: 2 });
    const [one, two] = [await secured(port), await secured(port)];
    expect(await handshake(port)).toMatch(/ECONNRESET/);
    expect([one.destroyed, two.destroyed]).toEqual([false, false]);
    one.destroy();
    await eventually(() => expect(wire.connections).toBe(1));
    expect(await echo(port)).toBe('hi');
  });
});
