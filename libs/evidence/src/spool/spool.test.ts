import { expect, it } from 'vitest';
import { SpoolRig, blockOf, put, readAll } from '../../test/spool-rig.ts';

it('smoke', async () => {
  const rig = new SpoolRig();
  const spool = await rig.open();
  const blocks = Array.from({ length: 30 }, (_, n) => blockOf(n));
  for (const block of blocks) await put(spool, block);
  const read = await readAll(spool);
  expect(read.map(({ position }) => position)).toEqual(blocks.map((_, n) => n + 1));
  expect(read.map(({ block }) => Buffer.from(block))).toEqual(blocks);
  console.log(rig.paths, spool.status, rig.events);
  rig.files.crash();
  const again = await rig.open();
  expect((await readAll(again)).map(({ block }) => Buffer.from(block))).toEqual(blocks);
  console.log(rig.paths, again.status, rig.events);
  again.acknowledge(15);
  await put(again, blockOf(99));
  console.log(rig.paths, again.status, rig.events);
});
