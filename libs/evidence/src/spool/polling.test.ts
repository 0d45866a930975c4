import { describe, expect, it } from 'vitest';
import { SpoolRig, blockOf, put, textOf } from '../../test/spool-rig.ts';

describe('a cursor', () => {
  it('C9 is asked without waiting, and gives what is there', async () => {
    const rig = new SpoolRig();
    const spool = await rig.open();
    for (const each of [1, 2]) await put(spool, blockOf(each));
    const cursor = spool.read(0);
    expect(textOf((await cursor.poll())!)).toBe('1');
    expect(textOf((await cursor.next())!)).toBe('2');
    expect(await cursor.poll()).toBe(undefined);
    // What is not synced is not there.
    rig.files.isHeld = true;
    spool.append(blockOf(3), 1);
    spool.flush();
    expect(await cursor.poll()).toBe(undefined);
    await rig.files.run();
    rig.files.isHeld = false;
    expect(textOf((await cursor.poll())!)).toBe('3');
    await cursor.close();
    expect(await cursor.poll()).toBe(undefined);
  });
});
