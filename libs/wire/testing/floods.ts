import { flags, frameTypes } from '../src/http2/frame-types.ts';
import { callBlock, callHeaders, message } from './attacker.ts';
import {
  data,
  frame,
  goaway,
  headers,
  ping,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
} from './frames.ts';

/** The same again and again on one connection, until the server has had enough. */
export interface Flood {
  /** What precedes it. */
  readonly first?: readonly Buffer[];
  /** What is written the `at`th time. */
  readonly batch: (at: number) => Uint8Array;
}

/** What `make` makes, so many times. */
export const many = (count: number, make: (at: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, at) => make(at)));

/** Streams that are opened `perBatch` in a batch, each with a number of its own. */
const streams =
  (perBatch: number, make: (streamId: number) => Buffer) =>
  (at: number): Buffer =>
    many(perBatch, (each) => make(2 * (perBatch * at + each) + 1));

/** Of a call that gets many answers. */
const download = [callHeaders(1, 'Download', { 'x-count': '1000' }), message(1, Buffer.alloc(10_000), true)];
const padding = Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]);
const openBlock = [frame(frameTypes.HEADERS, 0, 1, callBlock('Unary'))];

/** Each is of a test, which says how the server takes it, and of a row of the bench. */
export const floods = {
  'rapid reset': {
    batch: streams(50, (streamId) => Buffer.concat([callHeaders(streamId, 'Chat'), rstStream(streamId)])),
  },
  'streams that the server resets': {
    batch: streams(50, (streamId) => Buffer.concat([callHeaders(streamId, 'Chat'), windowUpdate(streamId, 0)])),
  },
  'calls that go on with header fields that are no trailers': {
    batch: streams(50, (streamId) => Buffer.concat([callHeaders(streamId, 'Chat'), headers(streamId)])),
  },
  'calls with less content than they say': {
    batch: streams(50, (streamId) =>
      Buffer.concat([callHeaders(streamId, 'Chat', { 'content-length': '1' }), data(streamId, '', flags.END_STREAM)]),
    ),
  },
  'header blocks without a field': { batch: streams(50, (streamId) => headers(streamId, flags.END_HEADERS, '')) },
  'requests without a path': { batch: streams(50, (streamId) => headers(streamId, flags.END_HEADERS, '83 86')) },
  'more streams than there may be': {
    batch: streams(50, (streamId) => callHeaders(streamId, 'Unary', { 'x-wait-ms': '60000' })),
  },
  SETTINGS: { batch: () => many(50, () => settings()) },
  'SETTINGS that change windows': {
    batch: (at) => many(50, (each) => settings(`0004 0000${(at + each + 4096).toString(16).padStart(4, '0')}`)),
  },
  'acknowledgements of SETTINGS': { batch: () => many(50, settingsAck) },
  PING: { batch: () => many(50, () => ping()) },
  'DATA without data': { first: [callHeaders(1, 'Upload')], batch: () => many(100, () => data(1)) },
  'DATA padded with nothing': {
    first: [callHeaders(1, 'Upload')],
    batch: () => many(100, () => data(1, '00', flags.PADDED)),
  },
  'DATA of padding alone': {
    first: [callHeaders(1, 'Upload')],
    batch: () => many(100, () => data(1, padding, flags.PADDED)),
  },
  'DATA of a stream that was reset': {
    first: [headers(1, flags.END_HEADERS, '83')],
    batch: () => many(500, () => data(1, '61')),
  },
  'header blocks of a stream that was reset': {
    first: [headers(1, flags.END_HEADERS, '83')],
    batch: () => many(500, () => headers(1, flags.END_HEADERS, '83')),
  },
  'GOAWAY beside a call that goes on': { first: [callHeaders(1, 'Chat')], batch: () => many(5, () => goaway()) },
  'a message in pieces of one octet': {
    first: [callHeaders(1, 'Upload'), data(1, '00 00 f0 00 00')],
    batch: () => many(500, () => data(1, '00')),
  },
  PRIORITY: { batch: () => many(100, (each) => priority(2 * each + 1)) },
  'frames of unknown kinds': { batch: (at) => many(100, () => frame(0x20 + (at % 100), 0, 0)) },
  'CONTINUATION without octets': {
    first: openBlock,
    batch: () => many(10, () => frame(frameTypes.CONTINUATION, 0, 1)),
  },
  'CONTINUATION without end': {
    first: openBlock,
    batch: () => frame(frameTypes.CONTINUATION, 0, 1, Buffer.alloc(16_384, 0x82)),
  },
  'windows of streams that open by an octet': {
    first: [settings('0004 00000000'), ...download],
    batch: () => many(50, () => windowUpdate(1, 1)),
  },
  'windows of a stream that is over': {
    first: [callHeaders(1, 'Nothing')],
    batch: () => many(100, () => windowUpdate(1, 64)),
  },
  'a window of the connection that opens by an octet': {
    first: download,
    batch: () => many(50, () => windowUpdate(0, 1)),
  },
} satisfies Readonly<Record<string, Flood>>;
