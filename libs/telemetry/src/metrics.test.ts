import { describe, expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';
import { MethodStats, latencyBounds, statusNames } from './request-stats.ts';

const make = (processMetrics = false) => createMetrics({ service: 'router', instanceId: 'router-1', processMetrics });

describe('MethodStats', () => {
  it('puts a latency at a bound into the bucket of that bound, and one above into the next', () => {
    const stats = new MethodStats('M');
    for (const ms of [1, 1.001, 60_000]) {
      stats.started();
      stats.ended(0, ms);
    }
    const { cumulative, sumSeconds } = stats.latency();
    expect(cumulative[latencyBounds.indexOf(0.001)]).toBe(1);
    expect(cumulative[latencyBounds.indexOf(0.001) + 1]).toBe(2);
    expect(cumulative.at(-2)).toBe(2);
    expect(cumulative.at(-1)).toBe(3);
    expect(sumSeconds).toBeCloseTo(60.002_001);
  });

  it('counts by status, unknown codes as UNKNOWN', () => {
    const stats = new MethodStats('M');
    for (const code of [0, 0, 14, 99]) {
      stats.started();
      stats.ended(code, 1);
    }
    expect(stats.codes()).toEqual([
      { name: 'OK', count: 2 },
      { name: 'UNKNOWN', count: 1 },
      { name: 'UNAVAILABLE', count: 1 },
    ]);
    expect(stats.inFlight).toBe(0);
    expect(statusNames).toHaveLength(17);
  });
});

describe('createMetrics', () => {
  it('writes requests, failures, latency and requests in flight by method', async () => {
    const metrics = make();
    metrics.requestStarted('inference/ModelInfer')('OK');
    const end = metrics.requestStarted('inference/ModelInfer');
    metrics.requestStarted('inference/ModelInfer');
    end('UNAVAILABLE');
    end('OK');
    const text = await metrics.text();
    const labels = 'method="inference/ModelInfer"';
    const own = 'service="router",instance="router-1"';
    expect(text).toContain(`sluice_requests_total{${labels},code="OK",${own}} 1`);
    expect(text).toContain(`sluice_requests_total{${labels},code="UNAVAILABLE",${own}} 1`);
    expect(text).toContain(`sluice_request_failures_total{${labels},code="UNAVAILABLE",${own}} 1`);
    expect(text).not.toContain(`sluice_request_failures_total{${labels},code="OK"`);
    expect(text).toContain(`sluice_requests_in_flight{${labels},${own}} 1`);
    expect(text).toMatch(/sluice_request_duration_seconds_bucket\{.*le="\+Inf".*\} 2\n/);
    expect(text).toMatch(/sluice_request_duration_seconds_count\{.*\} 2\n/);
  });

  it('keeps the requests on streams apart from the streams', async () => {
    const metrics = make();
    metrics.requestStarted('inference/Stream')('OK');
    const streamed = metrics.streamedRequests('inference/Stream');
    expect(metrics.streamedRequests('inference/Stream')).toBe(streamed);
    for (let count = 0; count < 4; count++) streamed.started();
    for (const code of [0, 0, 5]) streamed.ended(code, 1);
    const text = await metrics.text();
    const labels = 'method="inference/Stream"';
    expect(text).toContain(`sluice_requests_total{${labels},code="OK",`);
    expect(text).not.toContain(`sluice_requests_total{${labels},code="NOT_FOUND"`);
    expect(text).toMatch(/sluice_streamed_requests_total\{.*code="OK".*\} 2\n/);
    expect(text).toMatch(/sluice_streamed_requests_total\{.*code="NOT_FOUND".*\} 1\n/);
    expect(text).toMatch(/sluice_streamed_requests_in_flight\{.*\} 1\n/);
    expect(text).toMatch(/sluice_streamed_request_duration_seconds_count\{.*\} 3\n/);
  });

  it('writes dependencies, queues, and what services add', async () => {
    const metrics = make();
    metrics.dependency('postgres').set(true);
    metrics.dependency('registry').set(false);
    let waiting = 3;
    metrics.queue('digits/1', () => waiting);
    metrics.observedGauge('sluice_routes', 'Routes', () => 7);
    metrics.counter('sluice_retries_total', 'Retries', ['reason']).labels('lost').inc();
    metrics.histogram('sluice_batch_rows', 'Rows', { buckets: [1, 8] }).observe(4);
    waiting = 5;
    const text = await metrics.text();
    expect(text).toMatch(/sluice_dependency_up\{dependency="postgres".*\} 1/);
    expect(text).toMatch(/sluice_dependency_up\{dependency="registry".*\} 0/);
    expect(text).toMatch(/sluice_queue_length\{queue="digits\/1".*\} 5/);
    expect(text).toMatch(/sluice_routes\{.*\} 7/);
    expect(text).toMatch(/sluice_retries_total\{reason="lost".*\} 1/);
    expect(text).toMatch(/sluice_batch_rows_bucket\{.*le="8".*\} 1/);
  });

  it('writes CPU, memory and event-loop delay of the process', async () => {
    const text = await make(true).text();
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'nodejs_eventloop_lag_p99_seconds',
    ])
      expect(text).toContain(`# TYPE ${name} `);
  });
});
