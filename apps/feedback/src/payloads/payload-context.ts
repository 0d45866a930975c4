/** What binds the payload of a row of evidence to its place. */
export const evidenceContext = (
  row: { readonly predictionId: string; readonly attempt: number },
  arm: string,
  part: 'request' | 'response',
): string => `evidence/${row.predictionId}/${arm}/${row.attempt}/${part}`;

/** The same for a dead letter, by its digest in hex. */
export const deadLetterContext = (digest: string): string => `dead-letter/${digest}`;
