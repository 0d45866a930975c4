import { describe, expect, it } from 'vitest';
import type { PlacementFacts } from './placement.ts';
import { placementOf } from './placement.ts';

const nothing: PlacementFacts = { aliases: [], moves: [], releases: [], pins: [], retained: [] };

describe('placement', () => {
  it('is empty when nothing refers to a version', () => {
    expect(placementOf(nothing)).toEqual([]);
  });

  it('joins everything that refers to a version, once each, in a fixed order', () => {
    const facts = {
      aliases: [
        { alias: 'linear', version: 1 },
        { alias: 'champion', version: 3 },
        { alias: 'best', version: 3 },
      ],
      moves: [{ alias: 'champion', toVersion: 4 }],
      releases: [{ id: 'r1', versions: [3, 2] }],
      pins: [1, 2, 5],
      retained: [{ alias: 'champion', version: 2 }],
    };
    expect(placementOf(facts)).toEqual([
      { version: 1, heldBy: ['alias:linear', 'pin'], aliases: ['linear'], champion: false, pinnedOnly: false },
      {
        version: 2,
        heldBy: ['release:r1', 'retained:champion', 'pin'],
        aliases: [],
        champion: false,
        pinnedOnly: false,
      },
      {
        version: 3,
        heldBy: ['alias:best', 'alias:champion', 'release:r1'],
        aliases: ['best', 'champion'],
        champion: true,
        pinnedOnly: false,
      },
      { version: 4, heldBy: ['move:champion'], aliases: [], champion: false, pinnedOnly: false },
      { version: 5, heldBy: ['pin'], aliases: [], champion: false, pinnedOnly: true },
    ]);
  });

  it('does not depend on the order of the facts', () => {
    const aliases = [
      { alias: 'b', version: 1 },
      { alias: 'a', version: 1 },
    ];
    expect(placementOf({ ...nothing, aliases })).toEqual(placementOf({ ...nothing, aliases: aliases.toReversed() }));
  });
});
