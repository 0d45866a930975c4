import type { Readable } from 'node:stream';

const news = ['readable', 'end', 'close', 'error'];

/**
 * The messages of a call as they come, until its caller has said that it sends no more, or the call is over.
 *
 * A Readable's own iterator destroys the stream when it fails while the iterator waits, and with it the status of the failure, which
 * waits behind the last answer. This one leaves it alone.
 *
 * @param isOver whether nothing is read any more
 */
export async function* readMessages(stream: Readable, isOver: () => boolean): AsyncGenerator<Buffer, void, undefined> {
  let wake: () => void = () => undefined;
  const look = (): void => wake();
  for (const event of news) stream.on(event, look);
  try {
    while (!isOver()) {
      const bytes = stream.read() as Buffer | null;
      if (bytes !== null) yield bytes;
      else if (stream.readableEnded || stream.destroyed) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    for (const event of news) stream.off(event, look);
  }
}
