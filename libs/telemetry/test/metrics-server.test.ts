import { connect } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMetrics } from '../src/metrics.ts';
import { startMetricsServer } from '../src/metrics-server.ts';
import type { MetricsServer } from '../src/metrics-server.ts';

let server: MetricsServer;
const metrics = createMetrics({ service: 'router', instanceId: 'r1', processMetrics: false });
const url = (path: string): string => `http://127.0.0.1:${server.port}${path}`;

beforeEach(async () => {
  server = await startMetricsServer({ host: '127.0.0.1', port: 0, metrics, requestTimeoutMs: 100 });
});
afterEach(() => server.close());

it('answers GET /metrics with the text that Prometheus reads', async () => {
  metrics.requestStarted('m')('OK');
  const response = await fetch(url('/metrics?x=1'));
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(await response.text()).toContain('sluice_requests_total{method="m",code="OK"');
});

it('says what it does not serve', async () => {
  const missing = await fetch(url('/'));
  expect([missing.status, await missing.text()]).toEqual([404, 'not found: this port serves /metrics\n']);
  const posted = await fetch(url('/metrics'), { method: 'POST', body: 'x' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
});

it('refuses oversized headers', async () => {
  const response = await fetch(url('/metrics'), { headers: { 'x-large': 'x'.repeat(10_000) } });
  expect(response.status).toBe(431);
});

it('cuts off a client that never sends its request, and closes with clients connected', async () => {
  const socket = connect(server.port, '127.0.0.1');
  socket.write('GET /metrics HTTP/1.1\r\n');
  const idle = connect(server.port, '127.0.0.1');
  const closed = (s: typeof socket): Promise<unknown> => new Promise((resolve) => s.once('close', resolve).resume());
  socket.on('error', () => undefined);
  idle.on('error', () => undefined);
  const both = Promise.all([closed(socket), closed(idle)]);
  await server.close();
  await both;
});

it('rejects when the port is taken', async () => {
  await expect(startMetricsServer({ host: '127.0.0.1', port: server.port, metrics })).rejects.toThrow('EADDRINUSE');
});
