import { ConnectionError } from '../errors.ts';
import { defaultTableSize } from '../hpack/decoder.ts';
import { defaultMaxFrameSize, defaultWindow, largestMaxFrameSize, largestWindow } from './frame-types.ts';

/** RFC 9113, section 6.5.2. */
export const settingIds = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

/** What the other side has said, before it has said anything the defaults. */
export interface PeerSettings {
  headerTableSize: number;
  /** Infinity: no limit. */
  maxConcurrentStreams: number;
  initialWindowSize: number;
  maxFrameSize: number;
  maxHeaderListSize: number;
}

export const initialSettings = (): PeerSettings => ({
  headerTableSize: defaultTableSize,
  maxConcurrentStreams: Infinity,
  initialWindowSize: defaultWindow,
  maxFrameSize: defaultMaxFrameSize,
  maxHeaderListSize: Infinity,
});

/**
 * Reads the payload of a SETTINGS frame into `settings`, in the order in which they stand.
 * @param fromServer a server may not ask to push
 * @param changed called for each that is known, after it
 */
export function readSettings(
  from: Buffer,
  start: number,
  end: number,
  {
    settings,
    fromServer,
    changed,
  }: {
    readonly settings: PeerSettings;
    readonly fromServer: boolean;
    readonly changed: (id: number, before: number) => void;
  },
): void {
  for (let at = start; at < end; at += 6) {
    const id = from.readUInt16BE(at);
    const value = from.readUInt32BE(at + 2);
    const before = apply(settings, id, value, fromServer);
    if (before !== undefined) changed(id, before);
  }
}

/** @returns what it was before; undefined for one that nobody here knows, which is ignored */
function apply(settings: PeerSettings, id: number, value: number, fromServer: boolean): number | undefined {
  switch (id) {
    case settingIds.HEADER_TABLE_SIZE:
      return swap(settings, 'headerTableSize', value);
    case settingIds.ENABLE_PUSH:
      if (value > 1 || (fromServer && value === 1))
        throw new ConnectionError('PROTOCOL_ERROR', `SETTINGS_ENABLE_PUSH of ${value}`);
      return undefined;
    case settingIds.MAX_CONCURRENT_STREAMS:
      return swap(settings, 'maxConcurrentStreams', value);
    case settingIds.INITIAL_WINDOW_SIZE:
      if (value > largestWindow)
        throw new ConnectionError('FLOW_CONTROL_ERROR', `SETTINGS_INITIAL_WINDOW_SIZE of ${value}`);
      return swap(settings, 'initialWindowSize', value);
    case settingIds.MAX_FRAME_SIZE:
      if (value < defaultMaxFrameSize || value > largestMaxFrameSize)
        throw new ConnectionError('PROTOCOL_ERROR', `SETTINGS_MAX_FRAME_SIZE of ${value}`);
      return swap(settings, 'maxFrameSize', value);
    case settingIds.MAX_HEADER_LIST_SIZE:
      return swap(settings, 'maxHeaderListSize', value);
    default:
      return undefined;
  }
}

function swap(settings: PeerSettings, key: keyof PeerSettings, value: number): number {
  const before = settings[key];
  settings[key] = value;
  return before;
}

/** The payload of a SETTINGS frame. */
export function settingsPayload(entries: readonly (readonly [id: number, value: number])[]): Buffer {
  const payload = Buffer.allocUnsafe(6 * entries.length);
  for (const [at, [id, value]] of entries.entries()) {
    payload.writeUInt16BE(id, 6 * at);
    payload.writeUInt32BE(value, 6 * at + 2);
  }
  return payload;
}
