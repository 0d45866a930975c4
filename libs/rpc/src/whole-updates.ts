import { SluiceError } from '@sluice/domain/errors';

/** Parts that one update may have: far more than any state that is served, and not without end. */
const mostParts = 10_000;

/**
 * The updates of a watch, whole: a message that says `more` is kept until one comes that does not, and `join` makes one
 * of them. What came of an update when the stream ends is dropped: its watcher resumes from the update before.
 *
 * @param join gets all parts in order, at least two, and the last of them once more
 * @throws SluiceError data-loss when an update has no end
 */
export async function* wholeUpdates<Message extends { readonly more: boolean }>(
  messages: AsyncIterable<Message>,
  join: (parts: readonly Message[], last: Message) => Message,
): AsyncGenerator<Message, void, void> {
  let parts: Message[] = [];
  for await (const message of messages) {
    parts.push(message);
    if (message.more) {
      if (parts.length < mostParts) continue;
      throw new SluiceError('data-loss', `the update of a watch has more than ${mostParts} parts`);
    }
    yield parts.length === 1 ? message : join(parts, message);
    parts = [];
  }
}
