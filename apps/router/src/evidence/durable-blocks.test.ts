import { SluiceError } from '@sluice/domain/errors';
import { emptyDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import { readBlock } from '@sluice/evidence/read-block';
import type { Reservation, Synced } from '@sluice/evidence/spool/contract';
import { describe, expect, it } from 'vitest';
import { DurableBlocks } from './durable-blocks.ts';

const contextOf = (model: string): EncodedContext =>
  new EncodedContext({
    ...{ model, version: 1, versionDigest: 'd', releaseId: '', seedId: '', policyVersion: 0, arm: '', servedArm: '' },
    ...{ role: undefined, propensity: 1, retentionClass: 'standard' },
  });

/** Durable blocks before a spool that says when something is on disk, and joins reservations so often. */
function setUp({ joins = Infinity, hasRoom = true } = {}) {
  const deferred: (() => void)[] = [];
  const blocks: string[][] = [];
  const waiting: { readonly position: number; readonly callback: Synced }[] = [];
  const joined: number[] = [];
  const outcomes: string[] = [];
  let held = 0;
  const reserve = (): Reservation => ({
    append(block) {
      held--;
      return hasRoom
        ? blocks.push(readBlock(block).map((each) => `${each.context.model} ${each.requestId}`))
        : undefined;
    },
    join(_other, bytes) {
      joined.push(bytes);
      if (joined.length > joins) return false;
      held--;
      return true;
    },
    release: () => undefined,
  });
  const durable = new DurableBlocks({
    store: {
      synced: (position, callback) => void waiting.push({ position, callback }),
    },
    defer: (fn) => void deferred.push(fn),
  });
  const draft = emptyDraft(contextOf(''));
  const contexts = new Map<string, EncodedContext>();
  const add = (requestId: string, { model = 'm', bytes = 0 } = {}): void => {
    if (!contexts.has(model)) contexts.set(model, contextOf(model));
    const request = bytes > 0 ? Buffer.alloc(bytes) : undefined;
    Object.assign(draft, { requestId, request, context: contexts.get(model) });
    held++;
    durable.add(draft, reserve(), {
      kept: () => void outcomes.push(`kept ${requestId}`),
      refused: () => void outcomes.push(`refused ${requestId}`),
      onDisk: (failure) => void outcomes.push(`${failure?.kind ?? 'on disk'} ${requestId}`),
    });
  };
  const endTurn = (): void => deferred.splice(0).forEach((fn) => fn());
  /** The disk is through with the oldest block. */
  const sync = (error?: SluiceError): void => {
    const position = waiting[0]!.position;
    const count = waiting.findLastIndex((each) => each.position === position) + 1;
    for (const each of waiting.splice(0, count)) each.callback(error);
  };
  return { durable, blocks, joined, outcomes, add, held: () => held, endTurn, sync };
}

describe('durable records', () => {
  it('of one turn share a block, each context once, and are answered by its sync', () => {
    const { add, blocks, outcomes, endTurn, sync } = setUp();
    add('1');
    add('2', { model: 'n' });
    add('3');
    expect(blocks).toEqual([]);
    endTurn();
    expect([blocks, outcomes]).toEqual([[['m 1', 'n 2', 'm 3']], ['kept 1', 'kept 2', 'kept 3']]);
    outcomes.length = 0;
    sync();
    expect(outcomes).toEqual(['on disk 1', 'on disk 2', 'on disk 3']);
  });

  it('that come while a block is on its way share the next one', () => {
    const { add, blocks, endTurn, sync } = setUp();
    add('1');
    endTurn();
    for (const each of ['2', '3']) {
      add(each);
      endTurn();
    }
    expect(blocks).toEqual([['m 1']]);
    sync();
    expect(blocks).toHaveLength(1);
    add('4');
    endTurn();
    expect(blocks).toEqual([['m 1'], ['m 2', 'm 3', 'm 4']]);
  });

  it('fail with their block, and no others do', () => {
    const { add, outcomes, endTurn, sync } = setUp();
    add('1');
    add('2');
    endTurn();
    add('3');
    sync(new SluiceError('unavailable', 'the disk'));
    endTurn();
    sync();
    expect(outcomes.filter((each) => !each.startsWith('kept'))).toEqual([
      'unavailable 1',
      'unavailable 2',
      'on disk 3',
    ]);
  });

  it('whose block has no room after all are refused, each in a turn of its own', async () => {
    const { add, outcomes, endTurn, held } = setUp({ hasRoom: false });
    add('1');
    add('2');
    endTurn();
    expect(outcomes).toEqual([]);
    await Promise.resolve();
    expect([outcomes, held()]).toEqual([['refused 1', 'refused 2'], 0]);
    add('3');
    endTurn();
    await Promise.resolve();
    expect(outcomes.at(-1)).toBe('refused 3');
  });

  it('whose room cannot be joined begin another block, with a context of its own', () => {
    const { add, blocks, joined, endTurn, held, sync } = setUp({ joins: 1 });
    add('1');
    add('2', { model: 'n' });
    add('3', { model: 'n' });
    expect(blocks).toEqual([['m 1', 'n 2']]);
    sync();
    endTurn();
    expect([blocks, held()]).toEqual([[['m 1', 'n 2'], ['n 3']], 0]);
    // Rooms are joined for what the block has, the record that comes among it.
    expect(joined).toHaveLength(2);
    expect(joined[1]).toBeGreaterThan(joined[0]! + 140);
  });

  it('begin another block where one is full, and have one of their own where they are larger', () => {
    const { add, blocks, endTurn, held } = setUp();
    add('1', { bytes: 100_000 });
    add('2', { bytes: 100_000 });
    expect(blocks).toEqual([['m 1']]);
    add('3', { bytes: 1_000_000 });
    add('4');
    endTurn();
    expect([blocks, held()]).toEqual([[['m 1'], ['m 2'], ['m 3']], 1]);
  });

  it('are handed over at once when that is asked for', () => {
    const { add, blocks, durable, endTurn } = setUp();
    add('1');
    durable.flush();
    expect(blocks).toEqual([['m 1']]);
    endTurn();
    durable.flush();
    expect(blocks).toHaveLength(1);
  });
});
