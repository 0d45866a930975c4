import { expect, test } from 'vitest';
import { hotspots } from './live-profile.ts';

const node = (id: number, functionName: string, url = '', lineNumber = 0) => ({
  id,
  callFrame: { functionName, url, lineNumber },
});

test('own time by function, idle time left out, paths cut to what tells', () => {
  const profile = {
    nodes: [
      node(1, '(idle)'),
      node(2, 'parse', 'file:///somewhere/repo/libs/inference/src/scan.ts', 41),
      node(3, '(garbage collector)'),
      node(4, 'parse', 'file:///somewhere/repo/libs/inference/src/scan.ts', 41),
      node(5, '', 'node:internal/x', 0),
    ],
    samples: [1, 2, 4, 3, 5],
    timeDeltas: [1000, 30, 20, 25, 25],
  };
  expect(hotspots(profile, 2)).toEqual([
    { where: 'parse libs/inference/src/scan.ts:42', share: 0.5 },
    { where: '(garbage collector)', share: 0.25 },
  ]);
});
