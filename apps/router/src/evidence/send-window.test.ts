import { describe, expect, it } from 'vitest';
import { SendWindow } from './send-window.ts';

/** What a call for room has come to. */
async function outcome(room: Promise<boolean>): Promise<boolean | 'waits'> {
  return Promise.race([room, Promise.resolve().then(() => 'waits' as const)]);
}

describe('a window', () => {
  it('is closed until the other side says how much it takes', async () => {
    const window = new SendWindow();
    const room = window.hasRoom();
    expect(await outcome(room)).toBe('waits');
    window.open(10);
    expect(await room).toBe(true);
  });

  it('has room while less is under way than it lets', async () => {
    const window = new SendWindow();
    window.open(10);
    window.sent(1, 9);
    expect(await window.hasRoom()).toBe(true);
    window.sent(2, 1);
    expect(await outcome(window.hasRoom())).toBe('waits');
  });

  it('has room again when what was sent has arrived, up to a position', async () => {
    const window = new SendWindow();
    window.open(10);
    for (const position of [3, 5, 9]) window.sent(position, 10);
    const room = window.hasRoom();
    window.acknowledge(5);
    expect([await outcome(room), window.underWay]).toEqual(['waits', 10]);
    window.acknowledge(9);
    expect([await room, window.underWay]).toEqual([true, 0]);
  });

  it('lets one block go whatever its size, also where the other side says that it takes nothing', async () => {
    const window = new SendWindow();
    window.open(0);
    expect(await window.hasRoom()).toBe(true);
    window.sent(1, 1000);
    const room = window.hasRoom();
    window.acknowledge(0);
    expect(await outcome(room)).toBe('waits');
  });

  it('tells who waits that it is closed', async () => {
    const window = new SendWindow();
    const room = window.hasRoom();
    window.close();
    expect(await room).toBe(false);
    expect(await window.hasRoom()).toBe(false);
  });
});
