import { describe, expect, test } from 'vitest';
import { isEcho, isSecured, loadGroups } from './load-rows.ts';
import { workloadPlans } from './workloads.ts';

const plan = (name: string) => workloadPlans.find((one) => one.name === name)!;
const options = { only: /(?:)/, inFlight: [16, 64], isInFlightChosen: false, transport: 'wire' } as const;

describe('what is measured under load', () => {
  test('what is compared stands in one group, at 64 each with TLS behind the one without', () => {
    expect(loadGroups(plan('small'), options)).toEqual([
      { inFlight: 16, names: ['echo', 'wire-echo', 'direct', 'router'] },
      {
        inFlight: 64,
        names: ['echo', 'wire-echo', 'wire-echo-tls', 'direct', 'direct-tls', 'router', 'router-tls'],
      },
    ]);
  });

  test('other models have no echo and no TLS, but numbers in flight of their own unless these were chosen', () => {
    const names = ['direct', 'router'];
    expect(loadGroups(plan('perceptron'), { ...options, inFlight: [64] })).toEqual([
      { inFlight: 64, names },
      { inFlight: 512, names },
    ]);
    expect(loadGroups(plan('perceptron'), { ...options, inFlight: [64], isInFlightChosen: true })).toHaveLength(1);
  });

  test('TLS is measured of libs/wire alone: on grpc-js there is no row for it', () => {
    const groups = loadGroups(plan('small'), { ...options, transport: 'grpc-js' });
    expect(groups.flatMap(({ names }) => names).filter(isSecured)).toEqual([]);
  });

  test('only what matches is left, and a group that has nothing left is none', () => {
    const only = /^small\/direct(-tls)?\/64$/;
    expect(loadGroups(plan('small'), { ...options, only })).toEqual([
      { inFlight: 64, names: ['direct', 'direct-tls'] },
    ]);
    expect(loadGroups(plan('convnet'), { ...options, only })).toEqual([]);
  });
});

test('an echo sends back what it got, with TLS too; a platform does not', () => {
  expect((['echo', 'wire-echo', 'wire-echo-tls', 'direct', 'router-tls', 'http2'] as const).filter(isEcho)).toEqual([
    'echo',
    'wire-echo',
    'wire-echo-tls',
  ]);
});
