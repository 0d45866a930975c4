import { createHash } from 'node:crypto';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import { eventually } from '@sluice/testkit/eventually';
import { describe, expect, it } from 'vitest';
import { cleanups } from './cleanups.ts';
import { clientOf, definition, pause, serveOnWire, unary } from './echo-service.ts';
import type { Call, Send } from './echo-service.ts';
import { status } from './peers.ts';

describe('a wire server', () => {
  it('ends when its calls do', async () => {
    const answers: Send[] = [];
    const { port, wire } = await serveOnWire({ unary: (_call: Call, send: Send) => void answers.push(send) }, {});
    const client = clientOf(port);
    const answer = unary(client, Buffer.from('x'));
    await eventually(() => expect(answers).toHaveLength(1));
    let stopped = false;
    const stopping = wire!.stop().then(() => (stopped = true));
    await pause(200);
    expect(stopped).toBe(false);
    answers[0]!(null, Buffer.from('y'));
    expect((await answer).value?.toString()).toBe('y');
    await stopping;
    expect((await unary(client, Buffer.from('x'))).error?.code).toBe(status.UNAVAILABLE);
  });

  it('lets who does not read wait, and its handler with it, and nobody else', async () => {
    let written = 0;
    const pieces = 300;
    const piece = Buffer.alloc(100_000, 1);
    const download = async (call: Call): Promise<void> => {
      for (; written < pieces; written++)
        if (!call.write(piece)) await new Promise((resolve) => call.once('drain', resolve));
      call.end();
    };
    const { port } = await serveOnWire({ download }, {});
    const session = connect(`http://127.0.0.1:${port}`);
    cleanups.push(() => session.destroy());
    const headers = { ':method': 'POST', ':path': definition.Download.path, 'content-type': 'application/grpc' };
    const stream = session.request({ ...headers, te: 'trailers' });
    stream.pause();
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
    await eventually(() => expect(written).toBeGreaterThan(0));
    expect((await unary(clientOf(port), Buffer.from('other'))).value?.toString()).toBe('other');
    await pause(200);
    // What its window takes, and sixteen that Node keeps before `write` says no.
    expect(written).toBeLessThan(30);
    let length = 0;
    for await (const octets of stream) length += (octets as Buffer).length;
    expect(length).toBe(pieces * (piece.length + 5));
  });

  it('has no more connections than it may, and is there again when one of them goes', async () => {
    const refused: string[] = [];
    const failed: string[] = [];
    const events = {
      connectionRefused: (peer: string) => void refused.push(peer),
      connectionFailed: (_peer: string, error: Error) => void failed.push(error.message),
    };
    const { port, wire } = await serveOnWire({}, { maxConnections: 3, events });
    const client = clientOf(port);
    expect((await unary(client, Buffer.from('x'))).value?.toString()).toBe('x');
    const open = (): Socket => {
      const socket = connectSocket(port, '127.0.0.1').on('error', () => undefined);
      cleanups.push(() => socket.destroy());
      return socket.resume();
    };
    const idle = [open(), open()];
    await eventually(() => expect(wire!.connections).toBe(3));
    const beyond = Array.from({ length: 100 }, open);
    await eventually(() => expect(beyond.every(({ closed }) => closed)).toBe(true));
    expect([refused.length, new Set(refused).size, wire!.connections, failed]).toEqual([100, 100, 3, []]);
    expect(refused[0]).toMatch(/^127\.0\.0\.1:\d+$/);
    expect((await unary(client, Buffer.from('x'))).value?.toString()).toBe('x');
    idle[0]!.destroy();
    await eventually(() => expect(wire!.connections).toBe(2));
    expect(
      (await unary(clientOf(port, { 'grpc.use_local_subchannel_pool': 1 }), Buffer.from('y'))).error,
    ).toBeUndefined();
    expect([refused.length, wire!.connections]).toEqual([100, 3]);
  });

  it('takes promises that fail for answers', async () => {
    const { port } = await serveOnWire({ unary: () => Promise.reject(new Error('secret')) }, {});
    const { error } = await unary(clientOf(port), Buffer.from(''));
    expect([error?.code, error?.details]).toEqual([status.UNKNOWN, 'Unknown error']);
  });

  it('gives back all memory that it took for messages', async () => {
    const { port, wire } = await serveOnWire({}, { maxBuffered: 8 * 1024 * 1024 });
    const client = clientOf(port);
    const hash = (octets: Buffer | undefined) =>
      createHash('sha256')
        .update(octets ?? '')
        .digest('hex');
    for (let round = 0; round < 3; round++) {
      const requests = Array.from({ length: 4 }, (_, at) => Buffer.alloc(1_500_000, at + round));
      const answers = await Promise.all(requests.map((request) => unary(client, request)));
      expect(answers.map(({ value }) => hash(value))).toEqual(requests.map(hash));
    }
    const tooMany = await Promise.all(Array.from({ length: 12 }, () => unary(client, Buffer.alloc(4_000_000))));
    const codes = new Set(tooMany.map(({ error }) => error?.code ?? 0));
    expect([...codes].every((code) => code === 0 || code === status.RESOURCE_EXHAUSTED)).toBe(true);
    expect(wire!.bufferedOctets).toBe(0);
  });
});
