import type { CallStatus } from '@sluice/wire/client/call-status';
import { RpcError, fromWire, statusCodes, statusName } from '../status.ts';
import type { ReceivedStatus } from '../status.ts';

/** Fields of an answer that are the status itself. */
const ownFields = new Set(['grpc-status', 'grpc-message']);

/** The first value of each text field, as `textEntries` has them. @param fields names and values in turn */
function textFields(fields: readonly string[]): Record<string, string> {
  const entries: Record<string, string> = {};
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!;
    if (!name.endsWith('-bin') && !ownFields.has(name)) entries[name] ??= fields[at + 1]!;
  }
  return entries;
}

/** A reset of these is what the server has to say of the call, as `statusOfReset` reads it, and not that it went. */
const saidByReset = new Set<number>([statusCodes.RESOURCE_EXHAUSTED, statusCodes.PERMISSION_DENIED]);

/**
 * How a failed call over libs/wire ended, as `fromWire` has it of grpc-js. Where that has to guess from words whether a request was
 * sent, the channel knows; what a server said itself reads the same on both.
 *
 * @param peer the address that was called
 */
export function fromCall(status: CallStatus, peer: string): RpcError {
  const { details, origin } = status;
  const received: ReceivedStatus = { code: status.code, details, trailers: textFields(status.trailers) };
  const code = statusCodes[statusName(status.code)];
  if (origin === 'unsent') {
    const reason = details.replace(/^cannot connect to \S+: /, '');
    return new RpcError('unavailable', `${peer} cannot be reached: ${reason}`, { origin, code });
  }
  if (origin === 'lost' && !saidByReset.has(code))
    return new RpcError('unavailable', `the connection to ${peer} broke: ${details}`, { origin, code });
  return fromWire(received, peer, origin === 'here');
}
