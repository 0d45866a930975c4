import { expect, test } from 'vitest';
import { metricSum, parseMetrics } from './metrics-text.ts';

const text = `# HELP nv_inference_request_success Requests that were answered
# TYPE nv_inference_request_success counter
nv_inference_request_success{model="digits",version="1",service="model-server"} 41
nv_inference_request_success{model="digits",version="2"} 1e3
nv_inference_count{model="a \\"b\\" c\\\\d",version="1"} 7 1700000000000
up 1
`;

test('samples with their labels; comments are none', () => {
  expect(parseMetrics(text)).toEqual([
    {
      name: 'nv_inference_request_success',
      labels: { model: 'digits', version: '1', service: 'model-server' },
      value: 41,
    },
    { name: 'nv_inference_request_success', labels: { model: 'digits', version: '2' }, value: 1000 },
    { name: 'nv_inference_count', labels: { model: 'a "b" c\\d', version: '1' }, value: 7 },
    { name: 'up', labels: {}, value: 1 },
  ]);
});

test('a sum is over the samples that have the labels', () => {
  const samples = parseMetrics(text);
  expect(metricSum(samples, 'nv_inference_request_success', { model: 'digits' })).toBe(1041);
  expect(metricSum(samples, 'nv_inference_request_success', { model: 'digits', version: '1' })).toBe(41);
  expect(metricSum(samples, 'nv_inference_request_success', { model: 'none' })).toBe(0);
});
