import { invalidArgument } from '@sluice/domain/errors';

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

/**
 * Reads the metadata of an inference.
 *
 * @throws SluiceError invalid-argument when a value has more than 256 bytes
 */
export function readCallMetadata(metadata: (key: string) => string | undefined): CallMetadata {
  return {
    subject: bounded(metadata, 'sluice-subject'),
    unit: bounded(metadata, 'sluice-unit'),
    arm: bounded(metadata, 'sluice-arm'),
    caller: bounded(metadata, 'sluice-caller'),
  };
}

function bounded(metadata: (key: string) => string | undefined, key: string): string | undefined {
  const value = metadata(key);
  if (value === undefined || value === '') return undefined;
  const bytes = value.length > maxBytes ? value.length : Buffer.byteLength(value);
  if (bytes > maxBytes) throw invalidArgument(`metadata ${key}: expected at most ${maxBytes} bytes, got ${bytes}`);
  return value;
}
