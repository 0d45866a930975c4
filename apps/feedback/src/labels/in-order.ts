/**
 * Handles requests as they come, some at once, and gives the answers in their order. No further request is read while `atOnce` are
 * under way or wait to be taken. The first failure ends it, after the answers that were before it.
 */
export async function* inOrder<Request, Answer>(
  requests: AsyncIterable<Request>,
  handle: (request: Request) => Promise<Answer>,
  atOnce: number,
): AsyncGenerator<Answer, void, undefined> {
  const messages = requests[Symbol.asyncIterator]();
  const underWay: Promise<Answer>[] = [];
  const read = (): Promise<IteratorResult<Request>> => {
    const next = messages.next();
    // It may fail while the answers before it are still being taken.
    next.catch(() => undefined);
    return next;
  };
  let reading: Promise<IteratorResult<Request>> | undefined = read();
  while (reading ?? underWay.length > 0) {
    if (reading && underWay.length < atOnce && (await isFirst(reading, underWay[0]))) {
      const next = await reading;
      if (next.done === true) reading = undefined;
      else {
        const answer = handle(next.value);
        answer.catch(() => undefined);
        underWay.push(answer);
        reading = read();
      }
    } else yield await underWay.shift()!;
  }
}

/** Whether a request came before the next answer was there; one that failed to come has not. */
async function isFirst(reading: Promise<unknown>, answer: Promise<unknown> | undefined): Promise<boolean> {
  if (!answer) return true;
  const done = (isRequest: boolean) => () => isRequest;
  return Promise.race([
    reading.then(done(true), () => answer.then(done(false), done(false))),
    answer.then(done(false), done(false)),
  ]);
}
