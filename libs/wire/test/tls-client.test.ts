import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { TLSSocket, TlsOptions } from 'node:tls';
import { CertificateAuthority } from '@sluice/testkit/certificates';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import type { CallStatus } from '../src/client/call-status.ts';
import { WireChannel } from '../src/client/wire-channel.ts';
import type { TlsSource } from '../src/tls.ts';
import { cleanups } from './cleanups.ts';
import { definition, serveOnWire } from './echo-service.ts';
import { Server, ServerCredentials, systemClock } from './peers.ts';
import { ChangingTls, authority, clientTls, mutualClientTls, mutualServerTls, serverTls } from './secured.ts';

function channelTo(address: string, tls: TlsSource): WireChannel {
  // Its back-off is out of the way: each channel makes one call, or knows that it may connect again.
  const channel = new WireChannel(address, { clock: systemClock, random: { uniform: () => 0.5 }, tls });
  cleanups.push(() => channel.close());
  return channel;
}

/** A unary call: its answer, or how it failed. */
function call(channel: WireChannel, text = 'hi'): Promise<{ text: string | undefined; status: CallStatus }> {
  return new Promise((resolve) => {
    let answer: string | undefined;
    const made = channel.call(
      definition.Unary.path,
      { deadlineAt: systemClock.monotonic() + 10_000 },
      {
        head: () => undefined,
        message: (octets) => (answer = octets.toString()),
        ended: (status) => resolve({ text: answer, status }),
      },
    );
    made.writeLast(Buffer.from(text));
  });
}

/** A server that only shakes hands, and how its clients did. */
async function handshakes(options: TlsOptions): Promise<{ port: number; sockets: TLSSocket[] }> {
  const sockets: TLSSocket[] = [];
  const server = createServer(options, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}

const h2 = ['h2'];

describe('a wire client with TLS', () => {
  it('makes calls to grpc-js', async () => {
    const { cert, key } = await authority.sign('server');
    const server = new Server();
    server.addService(definition, {
      unary: (of: { request: Buffer }, send: (e: null, v: Buffer) => void) => send(null, of.request),
    });
    const credentials = ServerCredentials.createSsl(authority.cert, [{ cert_chain: cert, private_key: key }], true);
    const port = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error === null ? resolve(bound) : reject(error))),
    );
    cleanups.push(() => server.forceShutdown());
    expect((await call(channelTo(`127.0.0.1:${port}`, mutualClientTls()))).text).toBe('hi');
    expect((await call(channelTo(`localhost:${port}`, mutualClientTls()))).text).toBe('hi');
  });

  it('names the server that it wants, unless it is an address', async () => {
    const { port, sockets } = await handshakes({ ...(await authority.sign('server')), ALPNProtocols: h2 });
    void call(channelTo(`localhost:${port}`, clientTls()));
    await eventually(() => expect(sockets.map(({ servername }) => servername)).toEqual(['localhost']));
    void call(channelTo(`127.0.0.1:${port}`, clientTls()));
    await eventually(() => expect(sockets.map(({ servername }) => servername)).toEqual(['localhost', false]));
  });

  it.each([
    ['whose certificate is for another name', { hosts: ['other.example'] }, /does not match certificate's altnames/],
    ['whose certificate is out of date', { days: -1 }, /certificate has expired/],
  ] as const)('does not trust a server %s', async (_what, options, why) => {
    const identity = await authority.sign('server', options);
    const { port } = await handshakes({ ...identity, ALPNProtocols: h2 });
    const { status } = await call(channelTo(`localhost:${port}`, clientTls()));
    expect(status).toMatchObject({ code: 14, origin: 'unsent' });
    expect(status.details).toMatch(why);
  });

  it('does not trust a server of another authority, and says so', async () => {
    const other = await CertificateAuthority.create('another authority');
    const { port } = await handshakes({ ...(await other.sign('server')), ALPNProtocols: h2 });
    const { status } = await call(channelTo(`127.0.0.1:${port}`, clientTls()));
    expect(status).toMatchObject({ code: 14, origin: 'unsent' });
    expect(status.details).toBe(
      `cannot connect to 127.0.0.1:${port}: the certificate of the other side is of an authority that is not trusted here`,
    );
  });

  it.each([
    ['no protocol', undefined],
    ['another one', ['http/1.1']],
  ])('speaks to no server that negotiates %s', async (_what, ALPNProtocols) => {
    const { port } = await handshakes({ ...(await authority.sign('server')), ...(ALPNProtocols && { ALPNProtocols }) });
    const { status } = await call(channelTo(`127.0.0.1:${port}`, clientTls()));
    expect(status).toMatchObject({ code: 14, origin: 'unsent' });
    expect(status.details).toMatch(/ALPN/);
  });

  it('uses no TLS before 1.2, and no cipher that HTTP/2 prohibits', async () => {
    const rsa = await authority.sign('server', { key: 'rsa' });
    for (const options of [
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' },
      { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-SHA' },
    ] as const) {
      const { port, sockets } = await handshakes({ ...rsa, ...options, ALPNProtocols: h2 });
      const { status } = await call(channelTo(`127.0.0.1:${port}`, clientTls()));
      expect([status.code, status.origin, sockets.length]).toEqual([14, 'unsent', 0]);
    }
  });

  it('is told that a server without TLS has none', async () => {
    const { port } = await serveOnWire({}, {});
    const { status } = await call(channelTo(`127.0.0.1:${port}`, clientTls()));
    expect(status.details).toBe(`cannot connect to 127.0.0.1:${port}: the other side does not speak TLS`);
  });

  it('is told that a server wants a certificate', async () => {
    const { port } = await serveOnWire({}, {}, mutualServerTls());
    const { status } = await call(channelTo(`127.0.0.1:${port}`, clientTls()));
    expect(status.code).toBe(14);
    expect(status.details).toMatch(/the server wants a certificate of its clients/);
  });

  it('connects with what is current then', async () => {
    const tls = new ChangingTls({ ca: (await CertificateAuthority.create()).cert });
    const { port } = await serveOnWire({}, {}, mutualServerTls());
    expect((await call(channelTo(`127.0.0.1:${port}`, tls))).status.code).toBe(14);
    tls.change(mutualClientTls().current);
    expect((await call(channelTo(`127.0.0.1:${port}`, tls))).text).toBe('hi');
  });

  it('gives up a handshake when it is closed, or when it takes too long', async () => {
    const sockets: Socket[] = [];
    const server = createTcpServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    cleanups.push(() => server.close());
    const options = { clock: systemClock, random: { uniform: () => 0.5 }, tls: clientTls() };
    const closed = new WireChannel(`127.0.0.1:${port}`, options);
    const first = call(closed);
    await eventually(() => expect(sockets).toHaveLength(1));
    const gone = new Promise((resolve) => sockets[0]!.once('close', resolve));
    sockets[0]!.resume();
    closed.close();
    expect((await first).status.details).toBe('the channel is closed');
    await gone;
    const slow = new WireChannel(`127.0.0.1:${port}`, { ...options, connectTimeoutMs: 100 });
    cleanups.push(() => slow.close());
    expect((await call(slow)).status.details).toMatch(/no answer in 100 ms/);
    await eventually(() => expect(sockets).toHaveLength(2));
    sockets[1]!.destroy();
  });

  it('sends and takes large messages', async () => {
    const { port } = await serveOnWire({}, {}, serverTls());
    const text = 'x'.repeat(5_000_000);
    expect((await call(channelTo(`127.0.0.1:${port}`, clientTls()), text)).text === text).toBe(true);
  });
});
