import * as fc from 'fast-check';
import { expect } from 'vitest';
import type { Reservation, StoredBlock } from '../src/spool/contract.ts';
import type { Cursor } from '../src/spool/cursor.ts';
import type { Spool } from '../src/spool/spool.ts';
import { turn } from '../testing/simulated-files.ts';
import { SpoolRig, blockOf } from './spool-rig.ts';

/** What may happen to a spool. Numbers from 0 to 1 choose among what there is at the time. */
export type Step =
  | { readonly kind: 'append' | 'durable' | 'reserve'; readonly length: number }
  | { readonly kind: 'use' | 'join'; readonly share: number }
  | { readonly kind: 'flush' | 'seal' | 'drop' | 'hold' | 'run' | 'close' | 'kill' | 'free' | 'reread' }
  | { readonly kind: 'step'; readonly count: number }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'acknowledge'; readonly share: number }
  | { readonly kind: 'crash'; readonly kept: readonly number[] }
  | { readonly kind: 'fault'; readonly after: number; readonly code: string }
  | { readonly kind: 'fill'; readonly bytes: number };

const plain = (
  ...kinds: readonly ('flush' | 'seal' | 'drop' | 'hold' | 'run' | 'close' | 'kill' | 'free' | 'reread')[]
) => fc.record({ kind: fc.constantFrom(...kinds) });
const share = fc.double({ min: 0, max: 0.999, noNaN: true });

const one: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constantFrom('append', 'durable', 'reserve'),
      length: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('use', 'join'), share }) },
  { weight: 4, arbitrary: plain('flush', 'hold', 'run', 'reread') },
  { weight: 1, arbitrary: plain('seal', 'drop', 'close', 'kill', 'free') },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('step'), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait'), ms: fc.constantFrom(1, 100, 1000, 700_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('acknowledge'), share }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash'), kept: fc.array(share, { maxLength: 5 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('fault'), after: fc.nat(12), code: fc.constantFrom('ENOSPC', 'EIO') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fill'), bytes: fc.nat(3000) }) },
);

export const steps: fc.Arbitrary<Step[]> = fc.array(one, { minLength: 10, maxLength: 80, size: 'max' });

/**
 * Does steps to a spool, and holds it to its promises: what it said to be on disk comes back, in order, until it is acknowledged or
 * dropped by an order; no position is given twice once its block was seen; the folder keeps to its bound.
 */
export class SpoolModel {
  readonly rig = new SpoolRig({ maxBytes: 8 * 1024 });
  #spool: Spool | undefined;
  #cursor: Cursor | undefined;
  #number = 0;
  /** By position: what was appended last. */
  readonly #blocks = new Map<number, Buffer>();
  /** Positions that this life of the spool gave. */
  readonly #own = new Set<number>();
  /** Positions that were said to be on disk. */
  readonly #promised = new Set<number>();
  readonly #seen = new Set<number>();
  #acknowledged = 0;
  /** Up to here an order may have dropped everything. */
  #dropped = 0;
  #waiting = 0;
  /** Room for blocks that are yet to come, with the bytes of each. */
  #held: { readonly reservation: Reservation; readonly length: number }[] = [];

  constructor() {
    const { files, options } = this.rig;
    files.onOperation = ({ kind }) => {
      const { bytes } = files.disk;
      if (bytes > options.maxBytes!) this.failure ??= `${bytes} bytes after ${kind}`;
    };
  }

  async do(step: Step): Promise<void> {
    const { files, clock } = this.rig;
    await this.#start();
    if (step.kind === 'append') this.#append(step.length);
    else if (step.kind === 'durable') this.#durable(step.length);
    else if (step.kind === 'reserve') this.#reserve(step.length);
    else if (step.kind === 'use') this.#use(step.share);
    else if (step.kind === 'join') this.#join(step.share);
    else if (step.kind === 'flush') this.#spool?.flush();
    else if (step.kind === 'seal') this.#spool?.seal();
    else if (step.kind === 'drop') this.#drop();
    else if (step.kind === 'hold') files.isHeld = true;
    else if (step.kind === 'run') await files.run();
    else if (step.kind === 'step') await files.step(step.count);
    else if (step.kind === 'wait') clock.advance(step.ms);
    else if (step.kind === 'acknowledge') this.#acknowledge(step.share);
    else if (step.kind === 'reread') this.#follow();
    else if (step.kind === 'fault') this.#fault(step.after, step.code);
    else if (step.kind === 'fill') files.disk.capacity = files.disk.bytes + step.bytes;
    else if (step.kind === 'free') this.#heal();
    else if (step.kind === 'close') await this.#close();
    else this.#end(step.kind === 'crash' ? step.kept : undefined);
    await turn();
  }

  /** The disk works again: then everything does, by itself, and what was promised is there, after another crash too. */
  async finish(): Promise<void> {
    const { files } = this.rig;
    this.#heal();
    await files.run();
    await this.#start();
    while (this.#held.length > 0) this.#use(0);
    await this.#settle();
    expect(this.#waiting).toBe(0);
    const { bufferedBytes, bytes, synced } = this.#spool!.status;
    if (bufferedBytes > 0) {
      // A segment failed and there is no room for another one: not before something is acknowledged.
      expect(bytes + 1024).toBeGreaterThan(this.rig.options.maxBytes! - 100);
      this.#acknowledged = synced;
      this.#spool!.acknowledge(synced);
      await this.#settle();
    }
    expect(this.#spool!.status).toMatchObject({
      bufferedBytes: 0,
      diskFailed: false,
      synced: this.#spool!.status.position,
    });
    this.#promise(this.#spool!.status.synced);
    this.#end([]);
    await this.#start();
    await this.#settle();
    for (const position of this.#promised) if (this.#isOwed(position)) expect(this.#seen).toContain(position);
    // It still takes blocks, if there is room, and makes room of what is acknowledged.
    this.#acknowledged = this.#spool!.status.position;
    this.#spool!.acknowledge(this.#acknowledged);
    await this.#settle();
    this.#durable(10, false);
    await this.#settle();
    expect(this.#promised).toContain(this.#spool!.status.position);
    expect(this.#spool!.status.position).toBe(this.#acknowledged + 1);
    expect(this.rig.events.filter(({ kind }) => kind === 'damaged')).toEqual([]);
    await this.#spool!.close();
  }

  async #settle(): Promise<void> {
    for (let each = 0; each < 6; each++) {
      for (let turns = 0; turns < 40; turns++) await turn();
      this.rig.clock.advance(1000);
    }
  }

  async #start(): Promise<void> {
    if (this.#spool) return;
    const isHeld = this.rig.files.isHeld;
    this.rig.files.isHeld = false;
    this.rig.events.length = 0;
    try {
      this.#spool = await this.rig.open();
      this.#follow(this.#spool.status.acknowledged);
    } catch (error) {
      // A disk that does not give the folder: there is no spool then, and another start may have one.
      expect(error).toMatchObject({ name: 'SluiceError' });
    }
    this.rig.files.isHeld = isHeld;
  }

  #append(length: number): void {
    const block = blockOf(++this.#number, length);
    this.#given(this.#spool?.append(block, 1), block);
  }

  #durable(length: number, mayRelease = true): void {
    const reservation = this.#spool?.reserve(length);
    if (!reservation) return;
    if (mayRelease && this.#number % 7 === 3) {
      this.#number++;
      reservation.release();
      return;
    }
    this.#write(reservation, length);
  }

  #reserve(length: number): void {
    const reservation = this.#spool?.reserve(length);
    if (reservation) this.#held.push({ reservation, length });
  }

  #use(share: number): void {
    const [held] = this.#held.splice(Math.floor(share * this.#held.length), 1);
    if (held) this.#write(held.reservation, held.length);
  }

  /** One of the rooms takes in the next one: either both blocks have room in one, or each on its own, as before. */
  #join(share: number): void {
    const at = Math.floor(share * (this.#held.length - 1));
    const [held, other] = this.#held.slice(at, at + 2);
    if (!held || !other) return;
    const length = held.length + other.length;
    if (held.reservation.join(other.reservation, length)) this.#held.splice(at, 2, { ...held, length });
  }

  #write(reservation: Reservation, length: number): void {
    const block = blockOf(++this.#number, length);
    const position = reservation.append(block, 1);
    expect(position).toBeDefined();
    this.#given(position, block);
    this.#waiting++;
    const spool = this.#spool!;
    spool.synced(position!, (error) => {
      if (this.#spool !== spool) return;
      this.#waiting--;
      if (!error) this.#promise(position!);
    });
  }

  #given(position: number | undefined, block: Buffer): void {
    if (position === undefined) return;
    if (this.#seen.has(position) || this.#promised.has(position))
      throw new Error(`position ${position} was given twice`);
    this.#blocks.set(position, block);
    this.#own.add(position);
  }

  #promise(synced: number): void {
    for (const position of this.#own) if (position <= synced) this.#promised.add(position);
  }

  #drop(): void {
    if (!this.#spool) return;
    this.rig.clock.advance(1);
    this.#dropped = this.#spool.status.position;
    // It may end with the spool.
    this.#spool.dropOlderThan(this.rig.clock.now()).catch(() => undefined);
  }

  #acknowledge(share: number): void {
    if (!this.#spool) return;
    const position = Math.floor(share * (this.#spool.status.synced + 1));
    this.#spool.acknowledge(position);
    this.#acknowledged = Math.max(this.#acknowledged, position);
  }

  #fault(after: number, code: string): void {
    const { files } = this.rig;
    const number = files.operations + after;
    const before = files.fault;
    files.fault = (operation) => (operation.number === number ? code : before(operation));
  }

  #heal(): void {
    this.rig.files.fault = () => undefined;
    this.rig.files.disk.capacity = Infinity;
  }

  async #close(): Promise<void> {
    const spool = this.#spool;
    if (!spool) return;
    await this.rig.files.run();
    try {
      await spool.close();
    } catch {
      // A file that could not be closed.
    }
    this.#end(undefined);
  }

  /** @param kept undefined: only the process ends, not the machine */
  #end(kept: readonly number[] | undefined): void {
    const { files } = this.rig;
    let each = 0;
    if (kept === undefined) files.kill();
    else if (kept.length === 0) files.crash();
    else files.crash({ random: () => kept[each++ % kept.length]! });
    this.#spool = undefined;
    this.#cursor = undefined;
    this.#waiting = 0;
    this.#held = [];
    this.#own.clear();
  }

  #isOwed(position: number): boolean {
    return position > this.#acknowledged && position > this.#dropped;
  }

  /** A fault kept a segment from being read at the start: the next start delivers it. */
  get #isPartial(): boolean {
    return this.rig.events.some((event) => event.kind === 'set-aside' && event.reason.startsWith('it cannot be read'));
  }

  /** Reads what is not acknowledged, as a sender does at a start, or all that is there, and on. */
  #follow(after = 0): void {
    if (!this.#spool) return;
    void this.#cursor?.close().catch(() => undefined);
    const cursor = (this.#cursor = this.#spool.read(after));
    void this.#pump(this.#spool, cursor);
  }

  async #pump(spool: Spool, cursor: Cursor): Promise<void> {
    let before = 0;
    for (;;) {
      let block: StoredBlock | undefined;
      try {
        block = await cursor.next();
      } catch {
        // A fault; the next call tries again.
        await turn();
        continue;
      }
      if (block === undefined || this.#spool !== spool || this.#cursor !== cursor) return;
      const missed = [...this.#promised].find((each) => each > before && each < block.position && this.#isOwed(each));
      if (missed !== undefined && !this.#isPartial) this.failure ??= `${missed} was left out`;
      if (block.position <= before) this.failure ??= `${block.position} came behind ${before}`;
      if (!Buffer.from(block.block).equals(this.#blocks.get(block.position) ?? Buffer.alloc(0))) {
        this.failure ??= `${block.position} is another block`;
      }
      before = block.position;
      this.#seen.add(block.position);
    }
  }

  /** What a reader found wrong. */
  failure: string | undefined;
}
