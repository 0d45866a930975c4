import { describe, expect, it } from 'vitest';
import { SpoolRig, blockOf, folder, keyOf, put, quiet } from '../../test/spool-rig.ts';

/** Whether it has ended. */
function watched(drained: Promise<void>): { isDone: boolean; error: unknown } {
  const seen = { isDone: false, error: undefined as unknown };
  drained.then(
    () => (seen.isDone = true),
    (error: unknown) => (seen.error = error),
  );
  return seen;
}

describe('what lies in the spool', () => {
  it('X7 is drained when it is acknowledged, its segments are ended, and their keys are gone', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    const empty = watched(spool.drained(0));
    await quiet(spool);
    expect(empty.isDone).toBe(true);
    for (const each of [1, 2, 3]) await put(spool, blockOf(each));
    rig.files.isHeld = true;
    spool.append(blockOf(4), 1);
    const seen = watched(spool.drained(4));
    await Promise.resolve();
    expect(seen.isDone).toBe(false);
    rig.files.isHeld = false;
    await rig.files.run();
    spool.flush();
    await quiet(spool);
    expect([seen.isDone, spool.status.synced]).toEqual([false, 4]);
    // What comes later is in another segment, and does not hold it up.
    await put(spool, blockOf(5));
    rig.files.fault = ({ kind }) => (kind === 'remove' ? 'EIO' : undefined);
    spool.acknowledge(4);
    await quiet(spool);
    expect([seen.isDone, spool.status.acknowledged]).toEqual([false, 4]);
    rig.files.fault = () => undefined;
    rig.clock.advance(1_000);
    await quiet(spool);
    expect([seen.isDone, rig.paths.includes('0000000001.key')]).toEqual([true, false]);
    const later = watched(spool.drained(5));
    await quiet(spool);
    expect(later.isDone).toBe(false);
    await spool.close();
    expect(later.error).toMatchObject({ kind: 'unavailable' });

    // What is not on disk yet is in the spool too.
    const young = new SpoolRig();
    const fresh = await young.open();
    young.files.fault = ({ kind }) => (kind === 'write' ? 'ENOSPC' : undefined);
    const unsynced = watched(fresh.drained(fresh.append(blockOf(1), 1)!));
    await quiet(fresh);
    expect([unsynced.isDone, fresh.status.acknowledged]).toEqual([false, 0]);
    await fresh.close();
  });

  it('X9 is not drained while the key of a block that a crash left torn is there', async () => {
    const rig = new SpoolRig();
    const first = await rig.open();
    await put(first, blockOf(1));
    await first.close();
    rig.files.disk.find(`${folder}/0000000001.segment`).damage((bytes) => bytes.fill(0, 60));
    rig.files.fault = ({ kind }) => (kind === 'remove' ? 'EIO' : undefined);
    const spool = await rig.open();
    const seen = watched(spool.drained(spool.status.position));
    await quiet(spool);
    expect([seen.isDone, rig.paths.includes('0000000001.key')]).toEqual([false, true]);
    rig.files.fault = () => undefined;
    rig.clock.advance(1_000);
    await quiet(spool);
    expect([seen.isDone, rig.paths.includes('0000000001.key')]).toEqual([true, false]);
    await spool.close();
  });

  it('X8 is not drained while a segment is there whose key is not known, until that is dropped', async () => {
    const rig = new SpoolRig();
    const first = await rig.open();
    await put(first, blockOf(1));
    await first.close();
    // Nothing of it can be told, not even which positions it has.
    rig.files.disk.find(`${folder}/0000000001.segment`).damage((bytes) => bytes.fill(0xff));
    rig.options = { ...rig.options, key: keyOf('two', 2) };
    const spool = await rig.open();
    const seen = watched(spool.drained(spool.status.position));
    await quiet(spool);
    expect(seen.isDone).toBe(false);
    rig.clock.advance(10);
    await spool.dropOlderThan(rig.clock.now());
    await quiet(spool);
    expect(seen.isDone).toBe(true);
  });
});
