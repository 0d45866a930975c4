/** What binds the payload of a row of evidence to its place. */
export const evidenceContext = (
  row: { readonly predictionId: string; readonly attempt: number },
  arm: string,
  part: 'request' | 'response',
): string => `evidence/${row.predictionId}/${arm}/${row.attempt}/${part}`;

/** The same for a text that waits for its prediction, by its key in hex. */
export const waitingContext = (key: string): string => `waiting/${key}`;

/** The same for a dead letter, by its digest in hex. */
export const deadLetterContext = (digest: string): string => `dead-letter/${digest}`;
