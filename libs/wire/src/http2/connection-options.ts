import type { Clock } from '@sluice/domain/clock';
import type { Backlog } from './backlog.ts';
import type { ConnectionLimits } from './limits.ts';
import type { ConnectionPort } from './port.ts';

/** What a connection of either side is given. */
export interface ConnectionOptions {
  readonly port: ConnectionPort;
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  /** Fields of most header blocks that are sent, names and values in turn. */
  readonly repeated: readonly string[];
  /** What waits to be sent is counted there; default: for this connection alone, without a bound. */
  readonly backlog?: Backlog;
  /** It is over. @param error what ended it, unless both sides were done */
  readonly closed: (error: Error | undefined) => void;
}
