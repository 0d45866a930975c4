import { defaultCapture } from '@sluice/domain/release';
import { describe, expect, it } from 'vitest';
import { modelRoute } from '../test/routes.ts';
import type { ArmFacts } from '../test/routes.ts';
import { RoutedVersions, RouteStats } from './routed-versions.ts';
import type { ModelRoute, RouteTable, VersionRoute } from './route/table.ts';
import { targetOf, versionKey, versionOf } from './route/table.ts';

const versionRoute = (number: number): VersionRoute => ({
  ...{ model: 'team/digits', number, text: String(number), key: versionKey('team/digits', number), digest: '' },
  placed: true,
  signature: { inputs: [], outputs: [], batched: false },
  wishes: { instanceCount: 0, device: '', instanceGroups: [] },
  hasTask: false,
  override: new Uint8Array(0),
});

function tableOf(...numbers: number[]): RouteTable {
  return tableWith(numbers, []);
}

function tableWith(numbers: readonly number[], unplaced: readonly number[]): RouteTable {
  const placed = new Map(numbers.map((number) => [number, versionRoute(number)]));
  const name = 'team/digits';
  const model: ModelRoute = {
    name,
    revision: 1,
    aliases: new Map(),
    release: undefined,
    placed,
    unplaced: new Set(unplaced),
    quarantined: new Map(),
    keepsSequences: false,
    capture: defaultCapture,
  };
  return { revision: 1, models: new Map([[name, model]]) };
}

describe('RouteStats', () => {
  it('counts by outcome, answers always, and takes the time of answers alone', () => {
    const stats = new RouteStats({ model: 'm', text: '1' });
    expect(stats.counts()).toEqual([{ outcome: 'ok', count: 0 }]);
    stats.ended(undefined, 0.016);
    stats.ended(undefined, 0.017);
    stats.ended('unavailable', 5);
    stats.ended('internal', 5);
    stats.ended('unavailable', 5);
    stats.retried();
    expect(stats.counts()).toEqual([
      { outcome: 'ok', count: 2 },
      { outcome: 'unavailable', count: 2 },
      { outcome: 'internal', count: 1 },
    ]);
    expect(stats.answered.cumulative().slice(0, 3)).toEqual([1, 2, 2]);
    expect([stats.answered.count, stats.retries]).toEqual([2, 1]);
  });
});

describe('RoutedVersions', () => {
  it('has every placed version, and forgets what is not placed any more', () => {
    let table: RouteTable | undefined;
    const placed = new RoutedVersions(() => table);
    const numbers = (): string[] => [...placed.all()].map(({ version }) => version.text);
    expect(numbers()).toEqual([]);
    table = tableOf(1, 2);
    expect(numbers()).toEqual(['1', '2']);
    placed.of(versionRoute(1))!.ended(undefined, 1);
    table = tableOf(1, 3);
    expect(numbers()).toEqual(['1', '3']);
    // The same version of another table counts on.
    expect(placed.of(versionRoute(1))!.answered.count).toBe(1);
    table = undefined;
    expect(numbers()).toEqual([]);
  });

  it('makes no counts of a version that ends late, and makes those of a new one at its first request', () => {
    let table = tableOf(1);
    const placed = new RoutedVersions(() => table);
    expect(placed.of(versionRoute(1))).toBe(placed.of(versionRoute(1)));
    table = tableOf(2);
    expect(placed.of(versionRoute(2))).toBeDefined();
    expect(placed.of(versionRoute(1))).toBeUndefined();
    table = tableOf(1, 2);
    expect(placed.of(versionRoute(1))!.answered.count).toBe(0);
  });

  it('has a version that is not placed from its first request on, as long as there is one', () => {
    let table = tableWith([1], [2, 3]);
    const routed = new RoutedVersions(() => table);
    const counts = (): (string | number)[][] =>
      [...routed.all()].map(({ version, answered }) => [version.text, answered.count]);
    const two = targetOf('team/digits', 2);
    routed.of(two)!.ended(undefined, 1);
    routed.of(two)!.ended(undefined, 1);
    expect(counts()).toEqual([
      ['1', 0],
      ['2', 2],
    ]);
    // What callers name makes nothing.
    for (const other of [targetOf('team/digits', 9), targetOf('other', 2)]) expect(routed.of(other)).toBeUndefined();
    // It is placed, and counts on.
    table = tableWith([1, 2], [3]);
    expect(counts()).toEqual([
      ['1', 0],
      ['2', 2],
    ]);
    // And not any more: what ends late is not counted, and its next request begins anew.
    table = tableWith([1], [2, 3]);
    expect([counts(), routed.of(versionRoute(2))]).toEqual([[['1', 0]], undefined]);
    routed.of(two)!.ended('unavailable', 1);
    expect(counts()).toEqual([
      ['1', 0],
      ['2', 0],
    ]);
    // It was deleted.
    table = tableWith([1], [3]);
    expect([counts(), routed.of(two)]).toEqual([[['1', 0]], undefined]);
  });
});

describe('counts by arm', () => {
  const tableFor = (arms: Readonly<Record<string, ArmFacts>>): RouteTable => {
    const facts = { model: 'm', release: { arms }, placed: [3, 4], unplaced: [5] };
    return { revision: 1, models: new Map([['m', modelRoute(facts)]]) };
  };
  const shown = (routed: RoutedVersions): string[] =>
    [...routed.all()].flatMap(({ version, arms }) =>
      arms.map((arm) => {
        const counts = arm.counts().map(({ outcome, count }) => `${outcome} ${count}`);
        return `${version.text} ${arm.name} ${arm.role}: ${counts.join(', ')}, fell back ${arm.fallbacks}`;
      }),
    );
  const armsOf = (table: RouteTable) => table.models.get('m')!.release!.arms;
  const placedIn = (table: RouteTable, number: number) => table.models.get('m')!.placed.get(number)!;

  it('are of the arms of the release in force, also of one that had no request yet, and count on when it changes', () => {
    let table = tableFor({ a: [3, 'PRIMARY', 1], b: [4, 'CANDIDATE', 1] });
    const routed = new RoutedVersions(() => table);
    const [a, b] = armsOf(table);
    routed.ofArm(placedIn(table, 3), a!)!.ended(undefined);
    routed.ofArm(placedIn(table, 4), b!)!.fellBack('internal');
    expect(shown(routed)).toEqual(['3 a primary: ok 1, fell back 0', '4 b candidate: ok 0, internal 1, fell back 1']);
    table = tableFor({ a: [3, 'PRIMARY', 1], c: [4, 'SHADOW', 1] });
    // Before any scrape: the new arm is found, and the old one is not made anew.
    routed.ofArm(placedIn(table, 4), armsOf(table)[1]!)!.ended('unavailable');
    expect(routed.ofArm(placedIn(table, 4), b!)).toBeUndefined();
    expect(shown(routed)).toEqual(['3 a primary: ok 1, fell back 0', '4 c shadow: ok 0, unavailable 1, fell back 0']);
  });

  it('are there of an arm whose version is not placed, such as one in quarantine, from its first request on', () => {
    const table = tableFor({ a: [3, 'PRIMARY', 1], b: [5, 'CANDIDATE', 1] });
    const routed = new RoutedVersions(() => table);
    expect(shown(routed)).toEqual(['3 a primary: ok 0, fell back 0']);
    routed.ofArm(targetOf('m', 5), armsOf(table)[1]!)!.fellBack('failed-precondition');
    expect(shown(routed)[1]).toBe('5 b candidate: ok 0, failed-precondition 1, fell back 1');
  });
});

describe('a key', () => {
  it('tells model and version', () => {
    expect(versionOf(versionKey('team/digits', 12))).toEqual({ model: 'team/digits', version: '12' });
  });
});
