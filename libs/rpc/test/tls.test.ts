import { X509Certificate } from 'node:crypto';
import { request } from 'node:https';
import { registryService } from '@sluice/contracts/services';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { TlsSource } from '@sluice/service-kit/tls/tls-source';
import { createMetrics } from '@sluice/telemetry/metrics';
import { CertificateAuthority } from '@sluice/testkit/certificates';
import { describe, expect, it } from 'vitest';
import { createRpcClient } from '../src/client.ts';
import { createRawClient } from '../src/raw-client.ts';
import type { RawOutcome } from '../src/raw-client.ts';
import { createRpcServer } from '../src/server.ts';
import { openSidePorts } from '../src/side-ports.ts';
import { constantTls } from '../src/tls/source.ts';
import { cleanups } from './cleanups.ts';
import { failureOf, path, start, transport } from './world.ts';
import { raw } from '../src/handlers.ts';

const authority = await CertificateAuthority.create();
const server = await authority.sign('server');
const client = await authority.sign('client');
const trusting = constantTls({ ca: authority.cert });
const known = constantTls({ ...client, ca: authority.cert });

/** A server that is secured, and clients of it. */
async function secured(tls: TlsSource) {
  const echo = raw((message, call) => call.respond(message));
  const getModel = async ({ name }: { name: string }) => ({ model: { name } });
  const world = await start({ getModel }, { tls }, { modelInfer: echo });
  const registryAt = (address: string, clientTls: typeof trusting | undefined) => {
    const made = createRpcClient(registryService, address, {
      clock: systemClock,
      tls: clientTls,
      defaultTimeoutMs: 5_000,
    });
    cleanups.push(() => made.close());
    return made;
  };
  const ask = async (clientTls: typeof trusting | undefined, host = '127.0.0.1'): Promise<string | undefined> => {
    const answer = await registryAt(`${host}:${world.port}`, clientTls).getModel({ name: 'digits' });
    return answer.model?.name;
  };
  return { ...world, ask, registryAt };
}

describe('a server with TLS', () => {
  it('serves those who trust it, by name and by address', async () => {
    const { ask } = await secured(new TlsSource(server));
    expect([await ask(trusting), await ask(trusting, 'localhost')]).toEqual(['digits', 'digits']);
  });

  it('is of no use to those who do not, or who come without', async () => {
    const { ask } = await secured(new TlsSource(server));
    const stranger = constantTls({ ca: (await CertificateAuthority.create()).cert });
    const untrusted = await failureOf(ask(stranger));
    expect(untrusted).toMatchObject({ kind: 'unavailable', origin: 'unsent' });
    expect(untrusted.message).toMatch(/not trusted here/);
    expect(await failureOf(ask(undefined))).toMatchObject({ kind: 'unavailable' });
  });

  it('takes only clients of its authority where it has one', async () => {
    const { ask } = await secured(new TlsSource({ ...server, ca: authority.cert }));
    expect(await ask(known)).toBe('digits');
    expect(await failureOf(ask(trusting))).toMatchObject({ kind: 'unavailable' });
    const stranger = await (await CertificateAuthority.create()).sign('client');
    expect(await failureOf(ask(constantTls({ ...stranger, ca: authority.cert })))).toMatchObject({
      kind: 'unavailable',
    });
  });

  it('has other certificates from one connection to the next, and so has a client', async () => {
    const tls = new TlsSource(server);
    const { ask, registryAt, port } = await secured(tls);
    const standing = registryAt(`127.0.0.1:${port}`, trusting);
    expect((await standing.getModel({ name: 'a' })).model?.name).toBe('a');
    const other = await CertificateAuthority.create();
    tls.change(await other.sign('server'));
    expect((await standing.getModel({ name: 'b' })).model?.name).toBe('b');
    expect(await failureOf(ask(trusting))).toMatchObject({ kind: 'unavailable' });
    const following = new TlsSource({ ca: authority.cert });
    const client = registryAt(`127.0.0.1:${port}`, following);
    expect(await failureOf(client.getModel({ name: 'c' }))).toMatchObject({ kind: 'unavailable' });
    following.change({ ca: other.cert });
    await expect
      .poll(async () => (await client.getModel({ name: 'd' }).catch(() => undefined))?.model?.name, { timeout: 10_000 })
      .toBe('d');
  });

  it('takes calls of bytes', async () => {
    const { port } = await secured(new TlsSource(server));
    const raw = createRawClient(`127.0.0.1:${port}`, { tls: trusting });
    cleanups.push(() => raw.close());
    const message = Buffer.alloc(1_000_000, 7);
    const outcome = await new Promise<RawOutcome>((resolve) => {
      raw.call(path, message, { deadlineMs: Date.now() + 5_000 }, resolve);
    });
    expect([outcome.error, outcome.message?.equals(message)]).toEqual([undefined, true]);
  });
});

describe.runIf(transport === 'wire')('what goes wrong in handshakes', () => {
  it('is a warning that says what, and no defect', async () => {
    const { ask, logged } = await secured(new TlsSource({ ...server, ca: authority.cert }));
    for (let count = 0; count < 3; count++) await failureOf(ask(trusting));
    const said = logged().filter(({ msg }) => /TLS|defect/.test(String(msg)));
    expect(said).toMatchObject([
      {
        severity: 'warn',
        why: 'the client showed no certificate, and it needs one',
        msg: 'a TLS connection did not come about',
      },
    ]);
  });
});

describe('the ports beside it', () => {
  it('have the same certificate, which a metric gives the end of', async () => {
    const tls = new TlsSource({ ...server, ca: authority.cert });
    const logger = createLogger({ service: 't', instance: 't1', level: 'silent' });
    const metrics = createMetrics({ service: 't', instanceId: 't1', processMetrics: false });
    const { health } = createRpcServer({ logger, metrics, clock: systemClock });
    const sides = await openSidePorts({
      ...{ host: '127.0.0.1', metricsPort: 0, adminPort: 0, logger, metrics, clock: systemClock, health, tls },
      ...{ service: 't', instanceId: 't1', version: '1', config: {}, state: () => ({}) },
    });
    cleanups.push(() => sides.close());
    const page = (material: object): Promise<string> =>
      new Promise((resolve) => {
        const options = {
          host: '127.0.0.1',
          port: sides.ports.metricsPort,
          path: '/metrics',
          agent: false,
          ca: authority.cert,
        };
        const asked = request({ ...options, ...material }, (response) => {
          let text = '';
          response.on('data', (octets: Buffer) => (text += octets.toString()));
          response.on('end', () => resolve(text));
        });
        asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
        asked.end();
      });
    const notAfter = Date.parse(new X509Certificate(server.cert).validTo) / 1000;
    expect(await page(client)).toContain(
      `sluice_tls_certificate_not_after_seconds{service="t",instance="t1"} ${notAfter}\n`,
    );
    expect(await page({})).not.toContain('sluice');
    const other = await CertificateAuthority.create();
    tls.change({ ...(await other.sign('server')), ca: authority.cert });
    expect(await page(client)).toMatch(/^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE)$/);
    expect(await page({ ...client, ca: other.cert })).toContain('sluice_tls_certificate_not_after_seconds');
  });
});
