import { describe, expect, it } from 'vitest';
import type { PlacementFacts } from './placement.ts';
import { checkPlacedBytes, maxPlacedBytes, placementOf } from './placement.ts';

const nothing: PlacementFacts = { aliases: [], moves: [], releases: [], pins: [], retained: [], quarantined: [] };

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
      quarantined: [],
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

  it('leaves out what is quarantined, whatever holds it', () => {
    const facts = { ...nothing, aliases: [{ alias: 'champion', version: 3 }], pins: [2, 3], quarantined: [3] };
    expect(placementOf(facts).map(({ version }) => version)).toEqual([2]);
  });

  it('does not depend on the order of the facts', () => {
    const aliases = [
      { alias: 'b', version: 1 },
      { alias: 'a', version: 1 },
    ];
    expect(placementOf({ ...nothing, aliases })).toEqual(placementOf({ ...nothing, aliases: aliases.toReversed() }));
  });
});

describe('the bytes of what is placed', () => {
  const half = maxPlacedBytes / 2;
  const versions = (bytes: number, isNew: boolean) => [
    { version: 1, bytes: 10, isNew: false },
    { version: 2, bytes: half - 10, isNew: false },
    { version: 3, bytes, isNew },
  ];

  it('are taken up to the bound', () => {
    expect(() => checkPlacedBytes('m', versions(half, true))).not.toThrow();
  });

  it('are refused above it, with what to let go of', () => {
    expect(() => checkPlacedBytes('m', versions(half + 1, true))).toThrow(
      /^version: m version 3 cannot be placed: .* would have 33554433 bytes.*; version 2 takes 16777206, take its aliases/,
    );
  });

  it('are never refused when nothing is added', () => {
    expect(() => checkPlacedBytes('m', versions(10 * half, false))).not.toThrow();
  });
});
