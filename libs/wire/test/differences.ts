/** Cases in which our server and node:http2 decide differently, and why both may, or why ours does. */
export interface Difference {
  /** Names of cases. */
  readonly cases: readonly string[];
  /** What becomes of stream 1, or of the connection. */
  readonly ours: string;
  readonly theirs: string;
  /** By the sections of RFC 9113, unless another is named. */
  readonly why: string;
}

const each = (state: string, frames: readonly string[]): string[] => frames.map((frame) => `${state}: ${frame}`);

const dataFrames = ['DATA', 'DATA, the end', 'DATA without octets', 'DATA with padding'];
const headFrames = [
  'HEADERS of a request',
  'HEADERS of a request that ends',
  'HEADERS of trailers',
  'HEADERS in pieces',
];
const wrongPadding = 'DATA with padding of its length';
const noPadding = 'DATA padded without a length';

const answered = 'answered 0';
const reset = (code: string): string => `RST_STREAM ${code}`;
const goaway = (code: string): string => `GOAWAY ${code}`;

const ofConnection: readonly Difference[] = [
  {
    cases: ['begin: half of the preface', 'begin: HTTP/1.1', 'begin: a preface that goes wrong at its end'],
    ours: goaway('PROTOCOL_ERROR'),
    theirs: goaway('INTERNAL_ERROR'),
    why: '3.4: an invalid preface is a PROTOCOL_ERROR; it is no fault of the server',
  },
  {
    cases: ['PING: an answer that nobody asked for'],
    ours: answered,
    theirs: goaway('INTERNAL_ERROR'),
    why: '6.7 has no rule for it; ours counts it as a PING, of which there may be so many',
  },
  {
    cases: ['SETTINGS: an acknowledgement too many'],
    ours: answered,
    theirs: goaway('PROTOCOL_ERROR'),
    why: '6.5.3 has no rule for it; ours counts it as SETTINGS, of which there may be so many',
  },
  {
    cases: ['PRIORITY on stream 0'],
    ours: goaway('PROTOCOL_ERROR'),
    theirs: 'nothing',
    why: '6.3: PRIORITY on stream 0 is a connection error',
  },
  {
    cases: ['a call that depends on itself'],
    ours: answered,
    theirs: goaway('PROTOCOL_ERROR'),
    why: '5.3.2: priorities are not looked at; the rule was one of RFC 7540',
  },
  {
    cases: ['HEADERS padded without a length', ...['idle', 'open'].map((state) => `${state}: ${noPadding}`)],
    ours: goaway('FRAME_SIZE_ERROR'),
    theirs: goaway('PROTOCOL_ERROR'),
    why: '4.2: a frame too small for what it must have is a FRAME_SIZE_ERROR',
  },
  {
    cases: ['9 CONTINUATION frames without octets'],
    ours: goaway('ENHANCE_YOUR_CALM'),
    theirs: goaway('INTERNAL_ERROR'),
    why: '10.5: a limit of either server; it is no fault of the server',
  },
];

const ofStates: readonly Difference[] = [
  {
    cases: each('open', ['PRIORITY of 4 octets']).concat(each('half-closed (remote)', ['PRIORITY of 4 octets'])),
    ours: reset('FRAME_SIZE_ERROR'),
    theirs: goaway('FRAME_SIZE_ERROR'),
    why: '6.3: a stream error; 5.4 lets an endpoint make a connection error of it',
  },
  {
    cases: each('open', ['WINDOW_UPDATE of 0']).concat(each('half-closed (remote)', ['WINDOW_UPDATE of 0'])),
    ours: reset('PROTOCOL_ERROR'),
    theirs: goaway('PROTOCOL_ERROR'),
    why: '6.9: a stream error; 5.4 lets an endpoint make a connection error of it',
  },
  {
    cases: ['open', 'half-closed (remote)'].map((state) => `${state}: WINDOW_UPDATE beyond 2^31`),
    ours: reset('FLOW_CONTROL_ERROR'),
    theirs: goaway('FLOW_CONTROL_ERROR'),
    why: '6.9.1: the stream is reset, or the connection ended',
  },
  {
    cases: each('half-closed (remote)', [...dataFrames, ...headFrames]),
    ours: reset('STREAM_CLOSED'),
    theirs: goaway('STREAM_CLOSED'),
    why: '5.1, half-closed (remote): a stream error; 5.4 lets an endpoint make a connection error of it',
  },
  {
    cases: each('half-closed (remote)', [wrongPadding]),
    ours: goaway('PROTOCOL_ERROR'),
    theirs: goaway('STREAM_CLOSED'),
    why: 'two faults: ours looks at the padding first (6.1), theirs at the state of the stream (5.1)',
  },
  {
    cases: each('half-closed (remote)', [noPadding]),
    ours: goaway('FRAME_SIZE_ERROR'),
    theirs: goaway('STREAM_CLOSED'),
    why: 'two faults: ours looks at the size first (4.2), theirs at the state of the stream (5.1)',
  },
  {
    cases: each('half-closed (remote)', ['HEADERS that do not decompress']),
    ours: goaway('COMPRESSION_ERROR'),
    theirs: goaway('STREAM_CLOSED'),
    why: 'two faults: ours decodes every block first (4.3), theirs looks at the state of the stream (5.1)',
  },
];

const skipped = 'closed since a higher one was opened';

/** Node:http2 forgets streams that are over, and ignores what still comes on them. */
const ofClosedStreams: readonly Difference[] = [
  ...[
    ['closed by both', answered],
    ['closed by a reset of the client', 'nothing'],
    [skipped, 'nothing'],
  ].flatMap(([state, theirs]) => [
    {
      cases: each(state!, state === skipped ? dataFrames : [...dataFrames, ...headFrames]),
      ours: goaway('STREAM_CLOSED'),
      theirs: theirs!,
      why: '5.1, closed: an endpoint may treat it as a connection error STREAM_CLOSED',
    },
    {
      cases: each(state!, [wrongPadding]),
      ours: goaway('PROTOCOL_ERROR'),
      theirs: theirs!,
      why: '6.1: a connection error whatever the state of the stream',
    },
    {
      cases: each(state!, [noPadding]),
      ours: goaway('FRAME_SIZE_ERROR'),
      theirs: theirs!,
      why: '4.2: a connection error whatever the state of the stream',
    },
  ]),
  {
    cases: ['a lower stream than before', ...each(skipped, headFrames)],
    ours: goaway('PROTOCOL_ERROR'),
    theirs: 'nothing',
    why: '5.1.1: a connection error PROTOCOL_ERROR',
  },
  {
    cases: each('closed by a reset of the server', [wrongPadding]),
    ours: goaway('PROTOCOL_ERROR'),
    theirs: reset('PROTOCOL_ERROR'),
    why: '6.1: a connection error whatever the state of the stream',
  },
  {
    cases: each('closed by a reset of the server', [noPadding]),
    ours: goaway('FRAME_SIZE_ERROR'),
    theirs: reset('PROTOCOL_ERROR'),
    why: '4.2: a connection error whatever the state of the stream',
  },
];

const ofFields: readonly Difference[] = [
  {
    cases: ['no :authority'],
    ours: answered,
    theirs: reset('PROTOCOL_ERROR'),
    why: '8.3.1 wants :authority or Host of a client; to gRPC it is optional (PROTOCOL-HTTP2.md, Requests), and ours has no use for it',
  },
  {
    cases: [':path without a slash', ':path of an asterisk'],
    ours: 'answered 12',
    theirs: reset('PROTOCOL_ERROR'),
    why: '8.3.1; no method has such a path, and UNIMPLEMENTED says so to a client of gRPC',
  },
  {
    cases: ['host other than :authority'],
    ours: reset('PROTOCOL_ERROR'),
    theirs: answered,
    why: '8.3.1: a server should treat it as malformed',
  },
  {
    cases: ['CONNECT with a path'],
    ours: 'answered 405',
    theirs: reset('PROTOCOL_ERROR'),
    why: '8.5: malformed; ours has no CONNECT and refuses it as any method but POST',
  },
  {
    cases: ['a name with a space', 'a name with a colon', 'an empty name', 'a name that is not ASCII'],
    ours: reset('PROTOCOL_ERROR'),
    theirs: answered,
    why: '8.2.1: malformed; theirs leaves such fields out',
  },
  {
    cases: ['a value with octet 0', 'a value with octet 10', 'a value with octet 13'],
    ours: reset('PROTOCOL_ERROR'),
    theirs: answered,
    why: '8.2.1: malformed; theirs leaves such fields out',
  },
  {
    cases: ['a value that begins with a space', 'a value that ends with a tab'],
    ours: reset('PROTOCOL_ERROR'),
    theirs: answered,
    why: '8.2.1: malformed',
  },
  {
    cases: ['content-length of too little'],
    ours: reset('PROTOCOL_ERROR'),
    theirs: goaway('INTERNAL_ERROR'),
    why: '8.1.1: malformed, which is a stream error PROTOCOL_ERROR',
  },
  {
    cases: ['content-length twice, the same'],
    ours: answered,
    theirs: reset('PROTOCOL_ERROR'),
    why: 'RFC 9110, 8.6: a recipient may take the same value several times for one',
  },
  {
    cases: ['a list of 20,000 octets'],
    ours: 'answered 431',
    theirs: reset('ENHANCE_YOUR_CALM'),
    why: '10.5.1: a server may answer 431, or treat it as it likes',
  },
];

export const differences: readonly Difference[] = [...ofConnection, ...ofStates, ...ofClosedStreams, ...ofFields];
