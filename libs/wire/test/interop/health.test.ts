import { eventually } from '@sluice/testkit/eventually';
import { afterEach, describe, expect, it } from 'vitest';
import { HealthImplementation, protoPath, service, status } from '../peers.ts';
import type { Client, ClientReadableStream, ServiceError } from '../peers.ts';
import { bufCurl } from './programs.ts';
import { cleanUp, grpcJsClient, serve } from './echo.ts';

afterEach(cleanUp);

interface Health {
  readonly status: string;
}

const {
  Check: check,
  Watch: watch,
  List: list,
} = service as unknown as Record<
  'Check' | 'Watch' | 'List',
  {
    readonly path: string;
    readonly requestSerialize: (value: object) => Buffer;
    readonly responseDeserialize: (octets: Buffer) => Health;
  }
>;

async function serveHealth() {
  const health = new HealthImplementation({ '': 'SERVING', 'test.Echo': 'NOT_SERVING' });
  const served = await serve({}, {}, (wire) => health.addToServer(wire));
  return { ...served, health, client: grpcJsClient(served.address) };
}

const ask = (client: Client, name: string): Promise<string> =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      ...[check.path, check.requestSerialize, check.responseDeserialize, { service: name }],
      (error: ServiceError | null, value?: Health) => (error === null ? resolve(value!.status) : reject(error)),
    );
  });

const follow = (client: Client, name: string): ClientReadableStream<Health> =>
  client.makeServerStreamRequest(watch.path, watch.requestSerialize, watch.responseDeserialize, { service: name });

describe('grpc-health-check, mounted as it is', () => {
  it('a grpc-js client checks', async () => {
    const { client, health } = await serveHealth();
    expect([await ask(client, ''), await ask(client, 'test.Echo')]).toEqual(['SERVING', 'NOT_SERVING']);
    health.setStatus('test.Echo', 'SERVING');
    expect(await ask(client, 'test.Echo')).toBe('SERVING');
    await expect(ask(client, 'none')).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('a grpc-js client lists', async () => {
    const { client } = await serveHealth();
    const statuses = await new Promise((resolve) =>
      client.makeUnaryRequest(
        ...[list.path, list.requestSerialize, list.responseDeserialize, {}],
        (_error: ServiceError | null, value?: unknown) => resolve(value),
      ),
    );
    expect(statuses).toMatchObject({
      statuses: { '': { status: 'SERVING' }, 'test.Echo': { status: 'NOT_SERVING' } },
    });
  });

  it('a grpc-js client watches until it has enough', async () => {
    const { client, health } = await serveHealth();
    const seen: string[] = [];
    const watching = follow(client, 'test.Echo');
    watching.on('data', ({ status: now }: Health) => seen.push(now));
    watching.on('error', () => undefined);
    await eventually(() => expect(seen).toEqual(['NOT_SERVING']));
    health.setStatus('test.Echo', 'SERVING');
    health.setStatus('test.Echo', 'NOT_SERVING');
    await eventually(() => expect(seen).toEqual(['NOT_SERVING', 'SERVING', 'NOT_SERVING']));
    const watchers = (): number =>
      (health as unknown as { watchers: Map<string, Set<unknown>> }).watchers.get('test.Echo')!.size;
    expect(watchers()).toBe(1);
    watching.cancel();
    await eventually(() => expect(watchers()).toBe(0));
    health.setStatus('test.Echo', 'SERVING');
    expect(await ask(client, 'test.Echo')).toBe('SERVING');
    expect(seen).toHaveLength(3);
  });

  it('hundreds of watches on one connection', async () => {
    const { client, health } = await serveHealth();
    let seen = 0;
    const all = Array.from({ length: 300 }, () => follow(client, ''));
    for (const each of all) {
      each.on('data', () => seen++);
      each.on('error', () => undefined);
    }
    await eventually(() => expect(seen).toBe(300));
    health.setStatus('', 'NOT_SERVING');
    await eventually(() => expect(seen).toBe(600));
    for (const each of all) each.cancel();
  });

  it('buf curl checks', async () => {
    const { address } = await serveHealth();
    const { out, err } = await bufCurl([
      ...['--schema', protoPath, '--data', '{"service":"test.Echo"}'],
      `http://${address}/grpc.health.v1.Health/Check`,
    ]);
    expect([err, JSON.parse(out.toString())]).toEqual(['', { status: 'NOT_SERVING' }]);
  });
});
