import { eventually } from '@sluice/testkit/eventually';
import { afterAll, describe, expect, it } from 'vitest';
import { defaultLimits } from '../../src/http2/limits.ts';
import { cleanUp, serve } from './echo.ts';
import { cCore, noCCore } from './programs.ts';

// They run beside each other, each with its own server; what they leave ends with the last.
afterAll(cleanUp);

const reason = noCCore();

/** Everything here is done by c_core.py, by the client of grpc's C core. */
const title = `gRPC's C core as a client${reason === undefined ? '' : `: ${reason}`}`;
describe.skipIf(reason !== undefined)(title, { concurrent: true }, () => {
  it('unary calls of every size', async () => {
    const { address, failures } = await serve();
    expect(await cCore('unary', address)).toEqual([0, 1, 16_378, 16_379, 16_380, 65_535, 1_000_000]);
    expect(failures).toEqual([]);
  });

  it('streams of every kind, empty ones among them', async () => {
    const { address, failures } = await serve();
    expect(await cCore('streams', address)).toEqual({
      ...{ download: 1000, upload: true, chat: true, large: true },
      ...{ 'empty download': [], 'empty upload': '', 'empty chat': [] },
    });
    expect(failures).toEqual([]);
  });

  it('a stream whose messages wait for one another', async () => {
    const { address, failures } = await serve();
    expect(await cCore('ping_pong', address)).toBe(2000);
    expect(failures).toEqual([]);
  });

  it('messages of 64 MiB both ways', async () => {
    const { address, wire, failures } = await serve();
    expect(await cCore('large', address)).toEqual([true, true]);
    expect([wire.bufferedOctets, failures]).toEqual([0, []]);
  });

  it('statuses with details and trailers', async () => {
    const { address } = await serve();
    expect(await cCore('status', address)).toEqual({
      ...{ code: 'NOT_FOUND', details: 'wie gewünscht: 100 % →', unknown: 'UNIMPLEMENTED' },
      trailers: { 'tail-why': 'x', 'tail-b-bin': String.raw`b'\x00\xff'` },
    });
  });

  it('metadata both ways, text and bytes', async () => {
    const { address } = await serve();
    expect(await cCore('metadata', address)).toEqual({
      head: [
        ['head-b-bin', String.raw`b'\x00\x01\xfe'`],
        ['head-text', 'a b'],
      ],
      tail: [
        ['tail-empty-bin', "b''"],
        ['tail-text', '1'],
        ['tail-text', '2'],
      ],
    });
  });

  it('deadlines that pass', async () => {
    const { address, counts } = await serve();
    expect(await cCore('deadline', address)).toEqual({
      ...{ unary: 'DEADLINE_EXCEEDED', chat: 'DEADLINE_EXCEEDED' },
      ...{ 'in time': true, next: 'x' },
    });
    expect(counts.cancelled).toBe(2);
  });

  it('calls that are cancelled', async () => {
    const { address, counts, failures } = await serve();
    expect(await cCore('cancel', address)).toEqual({ codes: ['CANCELLED'], next: 'x' });
    await eventually(() => expect(counts.cancelled).toBe(51));
    expect(failures).toEqual([]);
  });

  it('calls that are refused before they have sent all', async () => {
    const { address, failures, wire } = await serve({ maxRequestOctets: 250_000 });
    expect(await cCore('refused', address)).toEqual({
      unknown: ['UNIMPLEMENTED'],
      'too large': ['RESOURCE_EXHAUSTED'],
    });
    expect([failures, wire.bufferedOctets]).toEqual([[], 0]);
  });

  it('messages compressed with gzip and deflate', async () => {
    const { address } = await serve();
    expect(await cCore('compressed', address)).toEqual({ Gzip: true, Deflate: true });
  });

  it('three thousand calls at once on one connection', async () => {
    const { address, failures, counts } = await serve();
    expect(await cCore('concurrent', address)).toBe(3000);
    expect([counts.started, failures]).toEqual([3000, []]);
  });

  it('pings every second, which the default limits allow', async () => {
    const patient = await serve();
    const strict = await serve({
      limits: { floods: { ...defaultLimits.floods, pings: { burst: 1, perSecond: 0 } } },
    });
    const [allowed, punished] = await Promise.all([
      cCore('keepalive', patient.address),
      cCore('keepalive', strict.address),
    ]);
    expect(allowed).toEqual({ states: ['READY'], code: 'OK' });
    expect(patient.failures).toEqual([]);
    // The pings did come: where there may be one the second ends the connection.
    expect((punished as { states: string[] }).states.length).toBeGreaterThan(1);
    expect(strict.failures[0]).toMatch(/pings/);
  });

  it('a server that stops while calls run answers them, and the next call goes elsewhere', async () => {
    const first = await serve();
    const second = await serve();
    const running = cCore('goaway', `ipv4:${first.address},${second.address}`);
    await eventually(() => expect(first.counts.started).toBe(101));
    await first.wire.stop();
    expect(await running).toEqual({ codes: ['OK'], later: 'OK' });
    expect([first.counts, second.counts.started]).toEqual([{ started: 101, cancelled: 0 }, 1]);
  });

  it('a server that stops and has nobody beside it is unavailable', async () => {
    const { address, wire, counts } = await serve();
    const running = cCore('goaway', address);
    await eventually(() => expect(counts.started).toBe(101));
    await wire.stop();
    expect(await running).toEqual({ codes: ['OK'], later: 'UNAVAILABLE' });
  });
});
