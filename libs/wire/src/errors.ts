/** RFC 9113, section 7. */
export const errorCodes = {
  NO_ERROR: 0x0,
  PROTOCOL_ERROR: 0x1,
  INTERNAL_ERROR: 0x2,
  FLOW_CONTROL_ERROR: 0x3,
  SETTINGS_TIMEOUT: 0x4,
  STREAM_CLOSED: 0x5,
  FRAME_SIZE_ERROR: 0x6,
  REFUSED_STREAM: 0x7,
  CANCEL: 0x8,
  COMPRESSION_ERROR: 0x9,
  CONNECT_ERROR: 0xa,
  ENHANCE_YOUR_CALM: 0xb,
  INADEQUATE_SECURITY: 0xc,
  HTTP_1_1_REQUIRED: 0xd,
} as const;

export type ErrorName = keyof typeof errorCodes;

const names = new Map(Object.entries(errorCodes).map(([name, code]) => [code as number, name]));

/** For logs and messages; a code that the RFC does not have by its number. */
export const errorName = (code: number): string => names.get(code) ?? `error code ${code}`;

/** What the peer did ends the connection: GOAWAY with the code, and debug data. */
export class ConnectionError extends Error {
  readonly code: number;
  /** What the peer is told. */
  readonly debugData: string;

  /** @param debugData the same as the message where it is not given */
  constructor(name: ErrorName, message: string, debugData = message) {
    super(message);
    this.name = 'ConnectionError';
    this.code = errorCodes[name];
    this.debugData = debugData;
  }
}

/** A connection is gone without anybody's fault: the peer has closed it, or the network has. */
export class ConnectionLost extends Error {
  constructor(message: string, cause?: Error) {
    super(message, { cause });
    this.name = 'ConnectionLost';
  }
}

/** Whether a connection ended for what is no fault of its peer: it went away, or does not answer any more. */
export const isLoss = (error: Error): boolean =>
  error instanceof ConnectionLost || (error instanceof ConnectionError && error.code === errorCodes.NO_ERROR);
