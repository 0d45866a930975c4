import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { registryService } from '@sluice/contracts/services';
import { unimplemented } from '@sluice/rpc/handlers';
import { createRpcServer } from '@sluice/rpc/server';
import { constantTls } from '@sluice/rpc/tls/source';
import { systemClock } from '@sluice/service-kit/clock';
import { createLogger } from '@sluice/service-kit/logger';
import { createMetrics } from '@sluice/telemetry/metrics';
import { CertificateAuthority } from '@sluice/testkit/certificates';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from './platform.ts';

let folder: string;
let port: number;
let stop: () => Promise<unknown>;

/** A registry that has no models, and takes callers of its authority alone. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-cli-tls-'));
  const authority = await CertificateAuthority.create();
  const server = await authority.sign('server');
  const client = await authority.sign('client');
  for (const [name, octets] of Object.entries({ ca: authority.cert, cert: client.cert, key: client.key }))
    await writeFile(path.join(folder, `${name}.pem`), octets);
  const rpc = createRpcServer({
    logger: createLogger({ service: 't', instance: 't', level: 'silent' }),
    metrics: createMetrics({ service: 't', instanceId: 't', processMetrics: false }),
    clock: systemClock,
    tls: constantTls({ ...server, ca: authority.cert }),
  });
  const names = Object.values(registryService.definition).map((method) => method.originalName!);
  const others = Object.fromEntries(names.map((name) => [name, unimplemented('not here')]));
  rpc.addService(registryService, { ...others, listModels: async () => ({ models: [] }) } as never);
  port = await rpc.bind('127.0.0.1', 0);
  stop = () => rpc.tryShutdown(0);
});
afterAll(async () => {
  await stop();
  await rm(folder, { recursive: true });
});

const at = (name: string): string => path.join(folder, name);
const models = (...flags: string[]) => run(['models', '--registry', `127.0.0.1:${port}`, ...flags]);
const all = (): string[] => [
  ...['--tls-ca-file', at('ca.pem'), '--tls-cert-file', at('cert.pem')],
  ...['--tls-key-file', at('key.pem')],
];

it('calls over TLS, told by options or by variables', async () => {
  expect(await models(...all())).toMatchObject({ code: 0 });
  const env = {
    SLUICE_REGISTRY: `127.0.0.1:${port}`,
    SLUICE_TLS_CA_FILE: at('ca.pem'),
    SLUICE_TLS_CERT_FILE: at('cert.pem'),
    SLUICE_TLS_KEY_FILE: at('key.pem'),
  };
  expect(await run(['models'], env)).toMatchObject({ code: 0 });
});

it('says what is missing', async () => {
  const anonymous = await models('--tls-ca-file', at('ca.pem'));
  expect(anonymous.code).toBe(5);
  expect(anonymous.notes).toContain('One with TLS wants --tls-ca-file FILE.');
  expect(anonymous.notes).toContain('the server wants a certificate of its clients');
  expect(await models('--tls-ca-file', at('none.pem'))).toMatchObject({
    code: 2,
    notes: `sluice: SLUICE_TLS_CA_FILE: ${at('none.pem')} does not exist`,
  });
  expect(await models('--tls-cert-file', at('cert.pem'), '--tls-key-file', at('key.pem'))).toMatchObject({
    code: 2,
    notes: 'sluice: --tls-cert-file needs --tls-ca-file too',
  });
});
