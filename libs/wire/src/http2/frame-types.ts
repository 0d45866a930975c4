/** RFC 9113, section 6. */
export const frameTypes = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

/** Flags by what they mean; each is defined for some types only. */
export const flags = {
  ACK: 0x1,
  END_STREAM: 0x1,
  END_HEADERS: 0x4,
  PADDED: 0x8,
  PRIORITY: 0x20,
} as const;

/** Octets of a frame before its payload: length (24 bits), type, flags, reserved bit and stream (31 bits). */
export const frameHeaderOctets = 9;

/** What a client sends first (section 3.4). */
export const clientPreface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export const largestStreamId = 0x7fff_ffff;
export const largestWindow = 0x7fff_ffff;
export const defaultWindow = 65_535;
export const defaultMaxFrameSize = 16_384;
export const largestMaxFrameSize = 16_777_215;
