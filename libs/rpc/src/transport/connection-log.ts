import type { Clock } from '@sluice/domain/clock';
import { Sampler } from '@sluice/resilience/sampler';
import type { Logger } from '@sluice/service-kit/logger';
import { ConnectionError, errorName, isLoss } from '@sluice/wire/errors';
import { TlsFault } from '@sluice/wire/tls';
import type { WireEvents } from '@sluice/wire/server/wire-server';

/**
 * Logs what ends connections. What their peers do is a warning, of each kind at most one in ten seconds, which says how many went
 * before it unlogged: an attacker must not fill the log. That peers are gone is seen at level debug alone.
 */
export function connectionLog(logger: Logger, clock: Clock): WireEvents {
  const sampler = new Sampler({ clock });
  const sampled = (kind: string, log: (line: { unlogged?: number }) => void): void => {
    const unlogged = sampler.take(kind);
    if (unlogged !== undefined) log(unlogged > 0 ? { unlogged } : {});
  };
  return {
    connectionFailed: (peer, error) => {
      if (isLoss(error)) logger.debug({ peer, err: error }, 'a connection was lost');
      else if (error instanceof ConnectionError) {
        const fault = errorName(error.code);
        sampled(fault, (line) =>
          logger.warn({ peer, fault, why: error.message, ...line }, 'a connection was ended for what its peer did'),
        );
      } else if (error instanceof TlsFault)
        sampled(`TLS ${error.code}`, (line) =>
          logger.warn({ peer, why: error.message, ...line }, 'a TLS connection did not come about'),
        );
      else
        sampled(`defect ${error.name}`, (line) =>
          logger.error({ peer, err: error, ...line }, 'a connection was ended for a defect of the server'),
        );
    },
    connectionRefused: (peer) =>
      sampled('refused', (line) =>
        logger.warn({ peer, ...line }, 'a connection was refused: the server has as many as it takes'),
      ),
  };
}
