import { invalidArgument } from '@sluice/domain/errors';

/** Where metadata comes from: a call. */
export interface MetadataSource {
  /** The first value of a key (lower case). */
  metadata(key: string): string | undefined;
}

/** Metadata that callers may send with an inference. */
export interface CallMetadata {
  /** Whose data it is. */
  readonly subject: string | undefined;
  /** What is assigned to an arm as a whole. */
  readonly unit: string | undefined;
  /** The arm that must answer. */
  readonly arm: string | undefined;
  /** Which program asks. */
  readonly caller: string | undefined;
}

const maxBytes = 256;
const isAscii = /^[\x20-\x7e]*$/;

/**
 * Reads the metadata of an inference.
 *
 * @throws SluiceError invalid-argument when a value has more than 256 bytes, or a subject is no ASCII
 */
export function readCallMetadata(source: MetadataSource): CallMetadata {
  return {
    subject: readSubject(source),
    unit: bounded(source, 'sluice-unit'),
    arm: bounded(source, 'sluice-arm'),
    caller: bounded(source, 'sluice-caller'),
  };
}

/** What is no ASCII comes as whatever a client made of it: an order to erase would name it in vain. */
function readSubject(source: MetadataSource): string | undefined {
  const subject = bounded(source, 'sluice-subject');
  if (subject === undefined || isAscii.test(subject)) return subject;
  throw invalidArgument(
    'metadata sluice-subject: expected printable ASCII, as gRPC has it; percent-encode what is not',
  );
}

function bounded(source: MetadataSource, key: string): string | undefined {
  const value = source.metadata(key);
  if (value === undefined || value === '') return undefined;
  const bytes = value.length > maxBytes ? value.length : Buffer.byteLength(value);
  if (bytes > maxBytes) throw invalidArgument(`metadata ${key}: expected at most ${maxBytes} bytes, got ${bytes}`);
  return value;
}
