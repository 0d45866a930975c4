import { errorName } from '../src/errors.ts';
import { flags } from '../src/http2/frame-types.ts';
import type { Parsed } from '../testing/frames.ts';

/** Frames as tests write them; here are the words for those that come. */
export {
  data,
  frame,
  goaway,
  headers,
  hello,
  parse,
  ping,
  priority,
  request,
  requestBlock,
  rstStream,
  settings,
  settingsAck,
  windowUpdate,
  word,
} from '../testing/frames.ts';
export type { Parsed } from '../testing/frames.ts';

/** `GOAWAY PROTOCOL_ERROR`, `RST_STREAM 3 CANCEL`, `WINDOW_UPDATE 0 +1000`, `DATA 1 END 5 octets`, `SETTINGS ACK`. */
export function describe({ type, flags: flag, streamId, payload }: Parsed): string {
  const ack = flag & flags.ACK ? ' ACK' : '';
  const end = flag & flags.END_STREAM ? ' END' : '';
  switch (type) {
    case 'GOAWAY':
      return `GOAWAY ${errorName(payload.readUInt32BE(4))}`;
    case 'RST_STREAM':
      return `RST_STREAM ${streamId} ${errorName(payload.readUInt32BE(0))}`;
    case 'WINDOW_UPDATE':
      return `WINDOW_UPDATE ${streamId} +${payload.readUInt32BE(0)}`;
    case 'SETTINGS':
    case 'PING':
      return type + ack;
    case 'DATA':
      return `DATA ${streamId}${end} ${payload.length} octets`;
    default:
      return `${type} ${streamId}${end}`;
  }
}
