import { SluiceError } from '@sluice/domain/errors';

/**
 * The answer of a statement, or what its caller can do about a time-out.
 *
 * @param what took too long
 * @param advice what to narrow
 */
export async function narrowed<T>(answer: Promise<T>, what: string, advice: string): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    const error = SluiceError.from(thrown);
    if (error.kind !== 'deadline-exceeded') throw error;
    throw new SluiceError('deadline-exceeded', `${what} took longer than the time-out of queries: ${advice}`, {
      cause: error,
    });
  }
}
