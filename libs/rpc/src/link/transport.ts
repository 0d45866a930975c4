import { Channel, Metadata, status as grpcStatus } from '@grpc/grpc-js';
import type { StatusObject } from '@grpc/grpc-js';
import type { TlsSource } from '@sluice/wire/tls';
import { clientChannelOptions } from '../options.ts';
import type { ReceivedStatus } from '../status.ts';
import { channelCredentials } from '../tls/credentials.ts';
import { textEntries } from '../trailers.ts';
import { maxBatchBytes } from './peer.ts';

/** The stream under a link, as its client sees it. */
export interface LinkTransport {
  /** Sends one message; the next one only after `sent` was called. */
  send(message: Buffer, sent: () => void): void;
  /** This side has said all. */
  end(): void;
  /** Ends the stream and its connection at once; nothing is told any more. */
  abort(): void;
}

export interface LinkEvents {
  message(message: Buffer): void;
  /** Once, unless it was aborted. */
  ended(status: ReceivedStatus): void;
}

/** Opens a stream; its events come later. */
export type LinkDial = (events: LinkEvents) => LinkTransport;

/**
 * Opens streams of a method of a peer, each over a connection of its own that ends with it.
 * @param tls without it, connections are plain
 */
export function grpcDial(address: string, path: string, tls?: TlsSource): LinkDial {
  return (events) => new GrpcTransport(address, path, tls, events);
}

class GrpcTransport implements LinkTransport {
  // A channel of its own: what it remembers of failures must not hold up the next try, which has a back-off already.
  readonly #channel: Channel;
  readonly #call: ReturnType<Channel['createCall']>;
  readonly #events: LinkEvents;
  #aborted = false;

  constructor(address: string, path: string, tls: TlsSource | undefined, events: LinkEvents) {
    this.#events = events;
    this.#channel = new Channel(address, channelCredentials(tls), clientChannelOptions(maxBatchBytes));
    this.#call = this.#channel.createCall(path, Infinity, null, null, null);
    this.#call.start(new Metadata(), this);
    this.#call.startRead();
  }

  send(message: Buffer, sent: () => void): void {
    this.#call.sendMessageWithContext({ callback: sent }, message);
  }

  end(): void {
    this.#call.halfClose();
  }

  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#call.cancelWithStatus(grpcStatus.CANCELLED, 'the link is closed');
    this.#channel.close();
  }

  // The three that grpc-js calls.
  onReceiveMetadata(): void {}

  onReceiveMessage(message: Buffer): void {
    if (this.#aborted) return;
    this.#call.startRead();
    this.#events.message(message);
  }

  onReceiveStatus(status: StatusObject): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#channel.close();
    this.#events.ended({ code: status.code, details: status.details, trailers: textEntries(status.metadata) });
  }
}
