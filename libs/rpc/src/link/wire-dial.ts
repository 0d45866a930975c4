import type { Clock, Random } from '@sluice/domain/clock';
import type { CallStatus } from '@sluice/wire/client/call-status';
import type { CallEvents, ClientCall } from '@sluice/wire/client/client-call';
import { WireChannel } from '@sluice/wire/client/wire-channel';
import type { TlsSource } from '@sluice/wire/tls';
import { maxBatchBytes } from './peer.ts';
import type { LinkDial, LinkEvents, LinkTransport } from './transport.ts';

export interface WireDialOptions {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  /** Without it, connections are plain. */
  readonly tls?: TlsSource | undefined;
}

/** As `grpcDial`, over `libs/wire`. */
export function wireDial(address: string, path: string, options: WireDialOptions): LinkDial {
  return (events) => new WireLinkTransport(address, path, options, events);
}

class WireLinkTransport implements LinkTransport, CallEvents {
  // A channel of its own: what it remembers of failures must not hold up the next try, which has a back-off already.
  readonly #channel: WireChannel;
  readonly #call: ClientCall;
  readonly #events: LinkEvents;
  #sent: (() => void) | undefined;
  #over = false;

  constructor(address: string, path: string, options: WireDialOptions, events: LinkEvents) {
    this.#events = events;
    this.#channel = new WireChannel(address, { ...options, maxMessageOctets: maxBatchBytes });
    this.#call = this.#channel.call(path, { deadlineAt: Infinity }, this);
  }

  send(message: Buffer, sent: () => void): void {
    this.#sent = sent;
    this.#call.write(message);
    // Never in the call itself: whoever sends is not done with it.
    if (!this.#call.isBlocked) queueMicrotask(() => this.drained());
  }

  end(): void {
    this.#call.halfClose();
  }

  abort(): void {
    if (this.#over) return;
    this.#over = true;
    this.#call.cancel('the link is closed');
    this.#channel.close();
  }

  message(octets: Buffer): void {
    if (!this.#over) this.#events.message(octets);
  }

  drained(): void {
    const sent = this.#sent;
    this.#sent = undefined;
    if (!this.#over) sent?.();
  }

  ended({ code, details, trailers }: CallStatus): void {
    if (this.#over) return;
    this.#over = true;
    // Its events come later than the call that brings them about, as those of the other stack do.
    queueMicrotask(() => {
      this.#channel.close();
      this.#events.ended({ code, details, trailers: firstValues(trailers) });
    });
  }
}

/** @param fields names and values in turn */
function firstValues(fields: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (let at = 0; at < fields.length; at += 2) values[fields[at]!] ??= fields[at + 1]!;
  return values;
}
