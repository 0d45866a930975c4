import { FakeClock } from '@sluice/testkit/fake-clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsedMemory } from './used-memory.ts';

const kibi = 1024;
const mebi = kibi * kibi;

function start() {
  const clock = new FakeClock();
  return { clock, memory: new UsedMemory(clock) };
}

describe('memory of a large message', () => {
  it('serves the next one of about as many octets, and none that it has no room for', () => {
    const { memory } = start();
    const first = memory.room(600_000)!;
    expect([first.octets.length, first.isNew]).toEqual([600_000, true]);
    const { byteLength } = first.octets.buffer;
    memory.give(first.octets);
    expect(memory.bytes).toBe(byteLength);
    expect(memory.room(byteLength + 1)!.isNew).toBe(true);
    const again = memory.room(599_000)!;
    expect([again.octets.length, again.octets.buffer.byteLength, again.isNew]).toEqual([599_000, byteLength, false]);
    expect([memory.bytes, memory.room(600_000)!.isNew]).toEqual([0, true]);
  });

  it('is an eighth too much at most, whatever its size', () => {
    const { memory } = start();
    fc.assert(
      fc.property(fc.integer({ min: 16 * kibi, max: 8 * mebi }), (octets) => {
        const { byteLength } = memory.room(octets)!.octets.buffer;
        expect(byteLength).toBeGreaterThanOrEqual(octets);
        expect(byteLength).toBeLessThanOrEqual(octets * 1.125 + 1);
      }),
    );
    expect([16 * kibi - 1, 8 * mebi + 1].map((octets) => memory.room(octets))).toEqual([undefined, undefined]);
  });

  it('is out of reach of whoever had it, as soon as it is given', () => {
    const { memory } = start();
    const { octets } = memory.room(100_000)!;
    octets.fill('secret');
    const [view, words] = [octets.subarray(50), new Uint32Array(octets.buffer, 0, 4)];
    memory.give(octets);
    const next = memory.room(100_000)!;
    expect(next.isNew).toBe(false);
    next.octets.fill('b');
    expect([octets.length, view.length, words.length, String(view)]).toEqual([0, 0, 0, '']);
    expect([view[0], view.copy(Buffer.alloc(8)), octets.buffer.byteLength]).toEqual([undefined, 0, 0]);
    view.fill('c');
    expect(next.octets.every((octet) => octet === 'b'.charCodeAt(0))).toBe(true);
  });

  it('is taken back once, and only where it came from here', () => {
    const { memory } = start();
    const { octets } = memory.room(100_000)!;
    memory.give(octets);
    const { bytes } = memory;
    memory.give(octets);
    memory.give(Buffer.allocUnsafeSlow(100_000));
    memory.give(Buffer.from(new SharedArrayBuffer(bytes)));
    expect(memory.bytes).toBe(bytes);
    expect(memory.room(100_000)!.octets.buffer).not.toBe(memory.room(100_000)!.octets.buffer);
  });

  it('is kept up to 32 MiB; more is left to the collector, out of reach too', () => {
    const { memory } = start();
    const rooms = Array.from({ length: 5 }, () => memory.room(8 * mebi)!);
    for (const { octets } of rooms) memory.give(octets);
    expect(memory.bytes).toBe(32 * mebi);
    expect(rooms.map(({ octets }) => octets.length)).toEqual([0, 0, 0, 0, 0]);
  });

  it('goes when nobody has needed it for ten seconds, and stays where it is needed', () => {
    const { clock, memory } = start();
    const rooms = Array.from({ length: 4 }, () => memory.room(mebi)!);
    for (const { octets } of rooms) memory.give(octets);
    const use = (): void => {
      const two = [memory.room(mebi)!, memory.room(mebi)!];
      expect(two.map(({ isNew }) => isNew)).toEqual([false, false]);
      for (const { octets } of two) memory.give(octets);
    };
    clock.advance(9_999);
    use();
    clock.advance(1);
    expect(memory.bytes).toBe(4 * mebi);
    for (let count = 0; count < 3; count++) {
      use();
      clock.advance(10_000);
      expect(memory.bytes).toBe(2 * mebi);
    }
    clock.advance(10_000);
    expect([memory.bytes, memory.room(mebi)!.isNew]).toEqual([0, true]);
  });
});

it('what one has is never what another has, whatever the order of taking and giving', () => {
  const sizes = fc.integer({ min: 16 * kibi, max: 64 * kibi });
  const step = fc.oneof(
    fc.record({ take: sizes }),
    fc.record({ give: fc.nat(20) }),
    fc.record({ pass: fc.nat(12_000) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { clock, memory } = start();
      const held: { octets: Buffer; mark: number }[] = [];
      let mark = 0;
      for (const each of steps) {
        if ('take' in each) {
          const { octets } = memory.room(each.take)!;
          octets.fill(++mark % 256);
          held.push({ octets, mark: mark % 256 });
        } else if ('pass' in each) clock.advance(each.pass);
        else if (held.length > 0) memory.give(held.splice(each.give % held.length, 1)[0]!.octets);
      }
      for (const { octets, mark: own } of held) expect(octets.every((octet) => octet === own)).toBe(true);
      expect(new Set(held.map(({ octets }) => octets.buffer)).size).toBe(held.length);
    }),
  );
});
