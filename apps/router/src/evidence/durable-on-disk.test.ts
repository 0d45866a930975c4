import { emptyDraft } from '@sluice/evidence/draft';
import { EncodedContext } from '@sluice/evidence/encoded-context';
import { readBlock } from '@sluice/evidence/read-block';
import type { Spool } from '@sluice/evidence/spool/spool';
import { openSpool } from '@sluice/evidence/spool/spool';
import { SimulatedFiles, turn } from '@sluice/evidence/testing/simulated-files';
import { FakeClock } from '@sluice/testkit/fake-clock';
import { describe, expect, it } from 'vitest';
import { DurableBlocks } from './durable-blocks.ts';

const draft = emptyDraft(
  new EncodedContext({
    ...{ model: 'm', version: 1, versionDigest: '', releaseId: '', seedId: '', policyVersion: 0, arm: '' },
    ...{ servedArm: '', role: undefined, propensity: 1, retentionClass: 'standard' },
  }),
);

/** Durable blocks on a spool with small segments, on a disk that can be stopped and fails as told. */
class World {
  readonly files = new SimulatedFiles();
  readonly clock = new FakeClock();
  readonly kept: string[] = [];
  readonly onDisk: string[] = [];
  readonly failed: string[] = [];
  spool!: Spool;
  durable!: DurableBlocks;
  #random = 0;

  async open(): Promise<this> {
    this.spool = await openSpool(
      { folder: '/spool', key: { id: 'k', key: Buffer.alloc(32, 1) }, segmentBytes: 8192, maxBytes: 64 * 1024 },
      {
        ...{ files: this.files.process(), clock: this.clock, onEvent: () => undefined },
        randomBytes: (count) => Buffer.alloc(count, ++this.#random),
      },
    );
    this.durable = new DurableBlocks({ store: this.spool, defer: (fn) => void setImmediate(fn) });
    return this;
  }

  /** As many as there is room for. */
  add(...ids: readonly string[]): void {
    for (const requestId of ids) {
      const room = this.spool.reserve(1000);
      if (room === undefined) continue;
      this.durable.add({ ...draft, requestId }, room, {
        kept: () => void this.kept.push(requestId),
        refused: () => void this.failed.push(requestId),
        onDisk: (failure) => void (failure === undefined ? this.onDisk : this.failed).push(requestId),
      });
    }
  }

  /** Ids of all records that can be read, and how many lie in each block. */
  async read(): Promise<{ readonly ids: string[]; readonly sizes: number[] }> {
    const cursor = this.spool.read(0);
    const [ids, sizes]: [string[], number[]] = [[], []];
    const position = this.spool.status.synced;
    for (let at = 0; at < position;) {
      const found = (await cursor.next())!;
      at = found.position;
      const records = readBlock(found.block);
      sizes.push(records.length);
      ids.push(...records.map(({ requestId }) => requestId));
    }
    await cursor.close();
    return { ids, sizes };
  }
}

/** Three turns of records; the disk does nothing but what `steps` says. */
async function live(world: World, steps: number): Promise<void> {
  world.files.isHeld = true;
  for (const wave of ['a', 'b', 'c']) {
    world.add(...[1, 2, 3].map((each) => `${wave}${each}`));
    await turn();
    await world.files.step(Math.ceil(steps / 3));
  }
  await world.files.step(steps);
}

describe('durable records in a spool', () => {
  it('that were said to be on disk are there after a loss of power, whenever it comes', async () => {
    let answered = 0;
    for (let steps = 0; steps < 8; steps++) {
      const world = await new World().open();
      await live(world, steps);
      const promised = [...world.onDisk];
      answered = Math.max(answered, promised.length);
      world.files.crash();
      const { ids } = await (await world.open()).read();
      expect(ids).toEqual(expect.arrayContaining(promised));
      expect(new Set(ids).size).toBe(ids.length);
    }
    expect(answered).toBe(9);
  });

  it('lie in one block for each turn, or for all that came while another was on its way', async () => {
    const world = await new World().open();
    await live(world, 20);
    expect(world.onDisk).toHaveLength(9);
    world.files.isHeld = false;
    expect((await world.read()).sizes).toEqual([3, 3, 3]);
    const busy = await new World().open();
    await live(busy, 0);
    await busy.files.run();
    for (let each = 0; each < 5; each++) await turn();
    expect(busy.onDisk).toHaveLength(9);
    expect((await busy.read()).sizes).toEqual([3, 6]);
  });

  it('whose sync fails are written again and answered once, those of later turns too', async () => {
    const world = await new World().open();
    let isFailed = false;
    world.files.fault = ({ kind }) => {
      if (kind !== 'sync' || isFailed) return undefined;
      isFailed = true;
      return 'EIO';
    };
    world.add('a1', 'a2');
    for (let each = 0; each < 3; each++) await turn();
    world.add('b1', 'b2');
    for (let each = 0; each < 10; each++) await turn();
    expect([world.onDisk.toSorted(), world.failed, isFailed]).toEqual([['a1', 'a2', 'b1', 'b2'], [], true]);
    world.files.crash();
    expect((await (await world.open()).read()).ids.toSorted()).toEqual(['a1', 'a2', 'b1', 'b2']);
  });

  it('that a disk refuses which makes no room fail, and none that were on disk before', async () => {
    const world = await new World().open();
    world.add('a1', 'a2');
    for (let each = 0; each < 5; each++) await turn();
    world.files.fault = ({ kind }) => (kind === 'sync' || kind === 'create' ? 'EIO' : undefined);
    // The spare segment that there is fails, too.
    world.add('b1', 'b2');
    for (let each = 0; each < 20; each++) await turn();
    expect([world.onDisk, world.failed.toSorted()]).toEqual([
      ['a1', 'a2'],
      ['b1', 'b2'],
    ]);
    world.add('c1');
    expect(world.kept).not.toContain('c1');
  });

  it('are refused, each of them, by a spool that is closed', async () => {
    const world = await new World().open();
    world.add('a1', 'a2');
    await world.spool.close();
    world.durable.flush();
    await turn();
    expect([world.onDisk, world.failed]).toEqual([[], ['a1', 'a2']]);
  });
});
