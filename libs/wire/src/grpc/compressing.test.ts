import { randomBytes } from 'node:crypto';
import { gunzipSync, inflateSync } from 'node:zlib';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { Backlog } from '../http2/backlog.ts';
import type { Compression } from './codings.ts';
import { Compressing } from './compressing.ts';

function begin(coding: Compression = 'gzip') {
  const sent: { octets: Uint8Array; compressed: boolean; last: boolean }[] = [];
  const backlog = new Backlog();
  const events: string[] = [];
  const compressing = new Compressing({
    ...{ coding, backlog },
    send: (octets, compressed, last) => {
      sent.push({ octets, compressed, last });
      events.push(compressed ? 'smaller' : String(octets.length));
    },
    idle: () => void events.push('idle'),
  });
  return { compressing, sent, events, backlog };
}

const large = Buffer.alloc(100_000, 'abc');

describe('messages on their way out', () => {
  it.each([
    ['gzip', gunzipSync],
    ['deflate', inflateSync],
  ] as const)('are compressed with %s where they have a kilobyte', async (coding, inflate) => {
    const { compressing, sent, backlog } = begin(coding);
    compressing.write(Buffer.alloc(1023, 'a'));
    expect(sent).toEqual([{ octets: Buffer.alloc(1023, 'a'), compressed: false, last: false }]);
    compressing.write(Buffer.alloc(1024, 'a'), true);
    expect([sent.length, compressing.isBusy, backlog.octets]).toEqual([1, true, 1024 + 128]);
    await eventually(() => expect(sent).toHaveLength(2));
    expect(sent[1]).toMatchObject({ compressed: true, last: true });
    expect(inflate(sent[1]!.octets)).toEqual(Buffer.alloc(1024, 'a'));
    expect([compressing.isBusy, backlog.octets]).toEqual([false, 0]);
  });

  it('go as they are where they would not become smaller', async () => {
    const { compressing, sent } = begin();
    const octets = randomBytes(5000);
    compressing.write(octets);
    await eventually(() => expect(sent).toEqual([{ octets, compressed: false, last: false }]));
  });

  it('keep their order, large and small, and what is to follow them comes behind', async () => {
    const { compressing, events, sent } = begin();
    compressing.behind(() => void events.push('at once'));
    compressing.write(large);
    compressing.write(Buffer.alloc(7));
    compressing.write(large);
    compressing.behind(() => void events.push('behind'));
    compressing.write(Buffer.alloc(0));
    expect(events).toEqual(['at once']);
    await eventually(() => expect(events).toHaveLength(7));
    expect(events).toEqual(['at once', 'smaller', '7', 'smaller', 'behind', '0', 'idle']);
    expect(gunzipSync(sent[2]!.octets)).toEqual(large);
  });

  it('are forgotten when they are stopped, and what is being compressed keeps its room until then', async () => {
    const { compressing, events, backlog } = begin();
    compressing.write(large);
    compressing.write(large);
    compressing.write(Buffer.alloc(7));
    compressing.behind(() => void events.push('behind'));
    compressing.stop();
    expect(backlog.octets).toBe(100_000 + 128);
    compressing.write(Buffer.alloc(1));
    await eventually(() => expect(backlog.octets).toBe(0));
    expect(events).toEqual([]);
  });
});
