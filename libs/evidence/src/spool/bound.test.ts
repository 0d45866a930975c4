import { describe, expect, it } from 'vitest';
import { SpoolRig, quiet } from '../../test/spool-rig.ts';
import type { Cursor } from './cursor.ts';
import type { Spool } from './spool.ts';

/** Uniform numbers, the same in each run. */
function uniform(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 0x7fff_ffff) / 0x7fff_ffff;
}

/** A record in this test is its keep-probability and what it measures; a second of them is a block. */
function blockOfSecond(records: readonly { readonly kept: number; readonly value: number }[]): Buffer {
  return Buffer.from(records.flatMap(({ kept, value }) => [...Buffer.from(Float64Array.of(kept, value).buffer)]));
}

const least = 0.01;

/** Router and feedback for some hours: a rate of records comes in, and so many are taken out of the spool. */
class Hours {
  readonly rig = new SpoolRig({ segmentBytes: 8192, maxBytes: 256 * 1024, bufferBytes: 65_536, flushBytes: 65_536 });
  made = 0;
  madeValue = 0;
  /** As statistics see it: each record counts for one over its keep-probability. */
  weighted = 0;
  weightedValue = 0;
  mostBytes = 0;
  readonly probabilities: number[] = [];
  #spool: Spool | undefined;
  #cursor: Cursor | undefined;
  readonly #random = uniform(7);

  async run(seconds: number, perSecond: number, takenPerSecond: number): Promise<void> {
    const spool = (this.#spool ??= await this.rig.open());
    this.#cursor ??= spool.read(0);
    let credit = 0;
    for (let second = 0; second < seconds; second++) {
      this.#make(spool, perSecond);
      this.rig.clock.advance(1000);
      await quiet(spool);
      credit = await this.#take(credit + takenPerSecond);
      this.mostBytes = Math.max(this.mostBytes, this.rig.files.disk.bytes);
      this.probabilities.push(spool.keepProbability());
    }
  }

  async drain(): Promise<void> {
    await this.#take(Infinity);
    expect(this.#spool!.status).toMatchObject({ droppedBlocks: 0, diskFailed: false });
  }

  #make(spool: Spool, perSecond: number): void {
    const kept: { kept: number; value: number }[] = [];
    // As a block says it: one probability for all of it.
    const probability = spool.keepProbability();
    for (let each = 0; each < perSecond; each++) {
      // What is measured drifts, so that a bias in time would show.
      const value = this.made++ / 1000 + this.#random();
      this.madeValue += value;
      if (this.#random() < probability) kept.push({ kept: probability, value });
    }
    if (kept.length > 0) spool.append(blockOfSecond(kept), kept.length);
  }

  async #take(credit: number): Promise<number> {
    const spool = this.#spool!;
    let left = credit;
    let last = spool.status.acknowledged;
    while (left > 0 && last < spool.status.synced) {
      const { block, position } = (await this.#cursor!.next())!;
      const numbers = new Float64Array(Uint8Array.from(block).buffer);
      for (let at = 0; at < numbers.length; at += 2) {
        this.weighted += 1 / numbers[at]!;
        this.weightedValue += numbers[at + 1]! / numbers[at]!;
      }
      left -= numbers.length / 2;
      last = position;
    }
    spool.acknowledge(last);
    await quiet(spool);
    return Math.min(0, left);
  }
}

describe('hours in which less is taken than comes', () => {
  it('P3 the bound holds, the probability settles where as much is kept as is taken, and weights undo it', async () => {
    const hours = new Hours();
    // Feedback keeps up; is slow; away; slow again; and keeps up.
    await hours.run(300, 100, 1000);
    expect(Math.min(...hours.probabilities)).toBe(1);
    await hours.run(3600, 100, 20);
    const settled = hours.probabilities.slice(-1200);
    const mean = settled.reduce((sum, each) => sum + each, 0) / settled.length;
    expect(mean).toBeGreaterThan(0.17);
    expect(mean).toBeLessThan(0.23);
    // It does not swing: a segment that goes is a step of the fill, and no more.
    expect(Math.max(...settled) / Math.min(...settled)).toBeLessThan(2.5);
    await hours.run(1200, 100, 0);
    expect(hours.probabilities.at(-1)).toBeLessThan(0.05);
    expect(Math.min(...hours.probabilities)).toBeGreaterThanOrEqual(least);
    await hours.run(600, 100, 20);
    await hours.run(600, 100, 1000);
    expect(hours.probabilities.at(-1)).toBe(1);
    await hours.drain();
    expect(hours.mostBytes).toBeLessThanOrEqual(256 * 1024);
    // The counts of a window in which the probability changed all the time.
    expect(hours.weighted / hours.made).toBeGreaterThan(0.97);
    expect(hours.weighted / hours.made).toBeLessThan(1.03);
    expect(hours.weightedValue / hours.weighted / (hours.madeValue / hours.made)).toBeGreaterThan(0.97);
    expect(hours.weightedValue / hours.weighted / (hours.madeValue / hours.made)).toBeLessThan(1.03);
  });
});
