import { expect, test } from 'vitest';
import { timedProblems } from './ingest.ts';

test('a rate counts when the generator had room, and no stream broke', () => {
  expect(timedProblems([{ generatorShare: 0.8, interruptions: 0 }])).toEqual([]);
  expect(
    timedProblems([
      { generatorShare: 0.81, interruptions: 0 },
      { generatorShare: 0.2, interruptions: 2 },
    ]),
  ).toEqual(['the generator used 81 % of its core', '2 streams ended before all was stored']);
});
