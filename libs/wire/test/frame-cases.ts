import { HpackEncoder } from '../src/hpack/encoder.ts';
import { clientPreface, flags, frameTypes } from '../src/http2/frame-types.ts';
import {
  data,
  frame,
  goaway,
  headers,
  hello,
  ping,
  priority,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
  word,
} from './frames.ts';
import { message } from './fuzz-streams.ts';

/** What a client sends, in phases: each is sent when the server has done with the one before. */
export interface FrameCase {
  readonly name: string;
  readonly phases: readonly Buffer[];
}

const endHeaders = flags.END_HEADERS;
const ends = flags.END_HEADERS | flags.END_STREAM;

const encoded = (fields: readonly string[]): Buffer => Buffer.from(new HpackEncoder([]).encode(fields));
const control = [':method', 'POST', ':scheme', 'http', ':path', '/d/Echo', ':authority', 'a'];
const grpc = ['content-type', 'application/grpc', 'te', 'trailers'];
const block = encoded([...control, ...grpc]);
const neverBlock = encoded([':method', 'POST', ':scheme', 'http', ':path', '/d/Never', ':authority', 'a', ...grpc]);

/** A call that is whole, and its answer. */
const call = (id: number): Buffer =>
  Buffer.concat([headers(id, endHeaders, block), data(id, message(Buffer.from('abc')), flags.END_STREAM)]);
const open = (id: number): Buffer => headers(id, endHeaders, block);
const request = (fields: readonly string[]): Buffer => headers(1, ends, encoded(fields));
const start = Buffer.concat([hello(), settingsAck()]);
const long = Buffer.alloc(16_385);

const begun = (name: string, ...frames: readonly Buffer[]): FrameCase => ({
  name,
  phases: [Buffer.concat([start, ...frames])],
});
const bare = (name: string, ...octets: readonly Buffer[]): FrameCase => ({ name, phases: [Buffer.concat(octets)] });
const without = (name: string): string[] =>
  control.flatMap((text, at) => (control[at - (at % 2)] === name ? [] : [text]));
const replaced = (name: string, value: string): string[] =>
  control.map((text, at) => (at % 2 === 1 && control[at - 1] === name ? value : text));

const beginnings = [
  bare('begin: the preface alone', clientPreface),
  bare('begin: half of the preface', clientPreface.subarray(0, 10)),
  bare('begin: HTTP/1.1', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')),
  bare('begin: a preface that goes wrong at its end', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\rX')),
  bare('begin: PING before SETTINGS', clientPreface, ping()),
  bare('begin: HEADERS before SETTINGS', clientPreface, call(1)),
  bare('begin: an unknown frame before SETTINGS', clientPreface, frame(0x42, 0, 0)),
  bare('begin: an acknowledgement before SETTINGS', clientPreface, settingsAck(), call(1)),
  bare('begin: no acknowledgement', hello(), call(1)),
];

const ofConnection = [
  begun('PING', ping()),
  begun('PING: an answer that nobody asked for', ping(flags.ACK), call(1)),
  begun('PING of 7 octets', ping(0, '00000000000000')),
  begun('PING on a stream', frame(frameTypes.PING, 0, 1, '0000000000000000')),
  begun('SETTINGS without settings', settings(), call(1)),
  begun('SETTINGS that are unknown', settings('00ff 12345678'), call(1)),
  begun('SETTINGS of 5 octets', settings('0000000000')),
  begun('SETTINGS on a stream', frame(frameTypes.SETTINGS, 0, 1)),
  begun('SETTINGS: an acknowledgement with octets', frame(frameTypes.SETTINGS, flags.ACK, 0, '000100000000')),
  begun('SETTINGS: an acknowledgement too many', settingsAck(), call(1)),
  begun('SETTINGS_ENABLE_PUSH of 1', settings('0002 00000001'), call(1)),
  begun('SETTINGS_ENABLE_PUSH of 2', settings('0002 00000002')),
  begun('SETTINGS_INITIAL_WINDOW_SIZE of 2^31', settings('0004 80000000')),
  begun('SETTINGS_INITIAL_WINDOW_SIZE of 0', settings('0004 00000000'), call(1)),
  begun('SETTINGS_MAX_FRAME_SIZE of 16,383', settings('0005 00003fff')),
  begun('SETTINGS_MAX_FRAME_SIZE of 2^24', settings('0005 01000000')),
  begun('SETTINGS_HEADER_TABLE_SIZE of 0', settings('0001 00000000'), call(1)),
  begun('33 settings', settings('0100 00000000'.repeat(33)), call(1)),
  begun('GOAWAY, then a request', goaway(), call(1)),
  begun('a request, then GOAWAY', call(1), goaway()),
  begun('GOAWAY of 7 octets', frame(frameTypes.GOAWAY, 0, 0, '00000000000000')),
  begun('GOAWAY on a stream', frame(frameTypes.GOAWAY, 0, 1, '0000000000000000')),
  begun('WINDOW_UPDATE of 0 on the connection', windowUpdate(0, 0)),
  begun('WINDOW_UPDATE beyond 2^31 on the connection', windowUpdate(0, 0x7fff_ffff)),
  begun('WINDOW_UPDATE of 3 octets', frame(frameTypes.WINDOW_UPDATE, 0, 0, '000001')),
  begun('WINDOW_UPDATE with its reserved bit', frame(frameTypes.WINDOW_UPDATE, 0, 0, word(0x8000_0001)), call(1)),
  begun('an unknown frame', frame(0x42, 0xff, 0, 'abcd'), call(1)),
  begun('an unknown frame on an idle stream', frame(0x42, 0xff, 7, 'abcd'), call(1)),
  begun('DATA of 16,385 octets', open(1), frame(frameTypes.DATA, 0, 1, long)),
  begun('HEADERS of 16,385 octets', frame(frameTypes.HEADERS, endHeaders, 1, long)),
  begun('an unknown frame of 16,385 octets', frame(0x42, 0, 0, long)),
  begun('SETTINGS of 16,386 octets', settings('0100 00000000'.repeat(2731))),
];

const ofStreams = [
  begun('a call', call(1)),
  begun(
    'calls that interleave',
    open(1),
    open(3),
    data(3, message(Buffer.from('x')), 1),
    data(1, message(Buffer.from('y')), 1),
  ),
  begun('a call that ends with its head', headers(1, ends, block)),
  begun('a call with trailers', open(1), data(1, message(Buffer.from('x'))), headers(1, ends, encoded(['x-t', '1']))),
  begun(
    'a call with padding',
    open(1),
    data(1, Buffer.concat([Buffer.of(3), message(Buffer.from('x')), Buffer.alloc(3)]), 9),
  ),
  begun(
    'a call with a priority',
    headers(1, endHeaders | flags.PRIORITY, Buffer.concat([Buffer.from('0000000010', 'hex'), block])),
    data(1, '', 1),
  ),
  begun(
    'a call that depends on itself',
    headers(1, ends | flags.PRIORITY, Buffer.concat([Buffer.from('0000000110', 'hex'), block])),
  ),
  begun(
    'a call whose head is in pieces',
    headers(1, flags.END_STREAM, block.subarray(0, 5)),
    frame(frameTypes.CONTINUATION, endHeaders, 1, block.subarray(5)),
  ),
  begun(
    'a stream with the reserved bit',
    headers(0x8000_0001, endHeaders, block),
    data(1, message(Buffer.from('x')), 1),
  ),
  begun('an even stream', open(2)),
  begun('HEADERS on stream 0', open(0)),
  begun('a lower stream than before', call(5), call(3)),
  begun('DATA on stream 0', data(0, '00')),
  begun('RST_STREAM on stream 0', rstStream(0)),
  begun('PRIORITY on stream 0', priority(0)),
  begun('HEADERS padded by more than there is', headers(1, endHeaders | flags.PADDED, 'ff00')),
  begun('HEADERS padded without a length', headers(1, endHeaders | flags.PADDED, '')),
  begun('HEADERS without room for a priority', headers(1, endHeaders | flags.PRIORITY, '00000000')),
  begun('HEADERS that do not end, then PING', headers(1, 0, block), ping()),
  begun('HEADERS that do not end, then HEADERS', headers(1, 0, block), open(3)),
  begun('CONTINUATION of another stream', headers(1, 0, block), frame(frameTypes.CONTINUATION, endHeaders, 3)),
  begun('CONTINUATION behind a whole block', open(1), frame(frameTypes.CONTINUATION, endHeaders, 1)),
  begun(
    '9 CONTINUATION frames without octets',
    headers(1, flags.END_STREAM, block),
    ...Array.from({ length: 8 }, () => frame(frameTypes.CONTINUATION, 0, 1)),
    frame(frameTypes.CONTINUATION, endHeaders, 1),
  ),
];

const compression = [
  begun('HPACK: index 0', headers(1, ends, '80')),
  begun('HPACK: an index that no table has', headers(1, ends, 'be')),
  begun('HPACK: a size beyond the limit', headers(1, ends, '3fe21f')),
  begun('HPACK: a size behind a field', headers(1, ends, Buffer.concat([block, Buffer.of(0x20)]))),
  begun('HPACK: a block that ends within a string', headers(1, ends, '000561')),
  begun('HPACK: an integer without end', headers(1, ends, 'ffffffffffffffffffff')),
  begun('HPACK: padding of zeros', headers(1, ends, '0001618100')),
  begun('HPACK: EOS', headers(1, ends, '00016184ffffffff')),
  begun('HPACK: an empty block', headers(1, ends, '')),
  begun('HPACK: three sizes', headers(1, ends, Buffer.concat([Buffer.from('203f1120', 'hex'), block]))),
];

const names = [':method', ':scheme', ':path'];
const fields = [
  ...names.map((name) => begun(`no ${name}`, request([...without(name), ...grpc]))),
  ...names.map((name) => begun(`empty ${name}`, request([...replaced(name, ''), ...grpc]))),
  begun('no :authority', request([...without(':authority'), ...grpc])),
  begun(':path twice', request([...control, ':path', '/', ...grpc])),
  begun(':path behind other fields', request([...without(':path'), ...grpc, ':path', '/d/Echo'])),
  begun(':status in a request', request([...control, ':status', '200', ...grpc])),
  begun('an unknown pseudo-header field', request([...control, ':x', '1', ...grpc])),
  begun(':path without a slash', request([...replaced(':path', 'd/Echo'), ...grpc])),
  begun(':path of an asterisk', request([...replaced(':path', '*'), ...grpc])),
  begun(':authority with a user', request([...replaced(':authority', 'b@a'), ...grpc])),
  begun('host other than :authority', request([...control, ...grpc, 'host', 'b'])),
  begun('host as :authority', request([...control, ...grpc, 'host', 'a'])),
  begun('GET', request([...replaced(':method', 'GET'), ...grpc])),
  begun('CONNECT with a path', request([...replaced(':method', 'CONNECT'), ...grpc])),
  begun('another scheme', request([...replaced(':scheme', 'ftp'), ...grpc])),
  begun('another content-type', request([...control, 'content-type', 'text/plain'])),
  begun('another path', request([...replaced(':path', '/d/Other'), ...grpc])),
  ...['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade'].map((name) =>
    begun(`the field ${name}`, request([...control, ...grpc, name, 'x'])),
  ),
  begun('te other than trailers', request([...control, 'content-type', 'application/grpc', 'te', 'gzip'])),
  begun('a name in upper case', request([...control, ...grpc, 'X-A', '1'])),
  begun('a name with a space', request([...control, ...grpc, 'x a', '1'])),
  begun('a name with a colon', request([...control, ...grpc, 'x:a', '1'])),
  begun('an empty name', request([...control, ...grpc, '', '1'])),
  begun('a name that is not ASCII', request([...control, ...grpc, 'x\u00e4', '1'])),
  begun('a name with "@"', request([...control, ...grpc, 'x@a', '1'])),
  ...['\0', '\r', '\n', '\u0001', '\u007f', '\u00e4'].map((char) =>
    begun(`a value with octet ${char.charCodeAt(0)}`, request([...control, ...grpc, 'x', `a${char}b`])),
  ),
  begun('a value that begins with a space', request([...control, ...grpc, 'x', ' a'])),
  begun('a value that ends with a tab', request([...control, ...grpc, 'x', 'a\t'])),
  begun(
    'content-length of too much',
    headers(1, endHeaders, encoded([...control, ...grpc, 'content-length', '9'])),
    data(1, message(Buffer.from('x')), 1),
  ),
  begun(
    'content-length of too little',
    headers(1, endHeaders, encoded([...control, ...grpc, 'content-length', '1'])),
    data(1, message(Buffer.from('x')), 1),
  ),
  begun('content-length without data', request([...control, ...grpc, 'content-length', '1'])),
  begun('content-length that is no number', request([...control, ...grpc, 'content-length', 'x'])),
  begun('content-length twice, the same', request([...control, ...grpc, 'content-length', '0', 'content-length', '0'])),
  begun('content-length twice, another', request([...control, ...grpc, 'content-length', '0', 'content-length', '1'])),
  begun('trailers with :path', open(1), headers(1, ends, encoded([':path', '/']))),
  begun('trailers with a name in upper case', open(1), headers(1, ends, encoded(['X', '1']))),
  begun('trailers that do not end', open(1), headers(1, endHeaders, encoded(['x', '1']))),
  begun(
    'a list of 20,000 octets',
    request([...control, ...grpc, ...Array.from({ length: 5 }, (_, at) => [`x-${at}`, 'y'.repeat(3200)]).flat()]),
    call(3),
  ),
];

export const cases: readonly FrameCase[] = [...beginnings, ...ofConnection, ...ofStreams, ...compression, ...fields];

/** States of stream 1, and what brings it there. */
const states: Readonly<Record<string, readonly Buffer[]>> = {
  idle: [start],
  open: [Buffer.concat([start, open(1)])],
  'half-closed (remote)': [Buffer.concat([start, headers(1, ends, neverBlock)])],
  'closed by both': [Buffer.concat([start, call(1)])],
  'closed by a reset of the client': [Buffer.concat([start, open(1), rstStream(1)])],
  // Trailers that do not end.
  'closed by a reset of the server': [Buffer.concat([start, open(1), headers(1, endHeaders, encoded(['x', '1']))])],
  'closed since a higher one was opened': [Buffer.concat([start, call(3)])],
};

const odd: Readonly<Record<string, Buffer>> = {
  DATA: data(1, message(Buffer.from('x'))),
  'DATA, the end': data(1, '', flags.END_STREAM),
  'DATA without octets': data(1),
  'DATA with padding': data(1, Buffer.concat([Buffer.of(2), message(Buffer.from('x')), Buffer.alloc(2)]), flags.PADDED),
  'DATA with padding of its length': data(1, '03 0000', flags.PADDED),
  'DATA padded without a length': data(1, '', flags.PADDED),
  'HEADERS of a request': open(1),
  'HEADERS of a request that ends': headers(1, ends, block),
  'HEADERS of trailers': headers(1, ends, encoded(['x-t', '1'])),
  'HEADERS that do not decompress': headers(1, ends, '80'),
  'HEADERS in pieces': Buffer.concat([
    headers(1, flags.END_STREAM, block.subarray(0, 9)),
    frame(frameTypes.CONTINUATION, endHeaders, 1, block.subarray(9)),
  ]),
  PRIORITY: priority(1),
  'PRIORITY of 4 octets': frame(frameTypes.PRIORITY, 0, 1, '00000000'),
  'PRIORITY on itself': frame(frameTypes.PRIORITY, 0, 1, '00000001 10'),
  RST_STREAM: rstStream(1),
  'RST_STREAM of an unknown code': rstStream(1, 0xffff),
  'RST_STREAM of 3 octets': frame(frameTypes.RST_STREAM, 0, 1, '000000'),
  'RST_STREAM of 5 octets': frame(frameTypes.RST_STREAM, 0, 1, '0000000000'),
  'WINDOW_UPDATE of 1000': windowUpdate(1, 1000),
  'WINDOW_UPDATE of 0': windowUpdate(1, 0),
  'WINDOW_UPDATE beyond 2^31': windowUpdate(1, 0x7fff_ffff),
  'WINDOW_UPDATE of 3 octets': frame(frameTypes.WINDOW_UPDATE, 0, 1, '000001'),
  PUSH_PROMISE: frame(frameTypes.PUSH_PROMISE, flags.END_HEADERS, 1, '00000002 83'),
  CONTINUATION: frame(frameTypes.CONTINUATION, flags.END_HEADERS, 1, '83'),
  'SETTINGS on it': frame(frameTypes.SETTINGS, 0, 1),
  'PING on it': frame(frameTypes.PING, 0, 1, '0000000000000000'),
  'GOAWAY on it': frame(frameTypes.GOAWAY, 0, 1, '0000000000000000'),
  'an unknown frame': frame(0x42, 0xff, 1, 'abcd'),
  'DATA of 16,385 octets': frame(frameTypes.DATA, 0, 1, long),
};

/** Every odd frame in every state, and behind it a call that shows whether the connection is still good. */
export const inStates: readonly FrameCase[] = Object.entries(states).flatMap(([state, before]) =>
  Object.entries(odd).map(([name, bytes]) => ({
    name: `${state}: ${name}`,
    phases: [...before, Buffer.concat([bytes, call(5)])],
  })),
);
