import type { ErrorKind, SluiceError } from '@sluice/domain/errors';

/** Failures that another version may not have. What is the request's fault, or its caller's, is so with every version. */
const ofVersion: Readonly<Record<ErrorKind, boolean>> = {
  'invalid-argument': false,
  'not-found': false,
  'already-exists': false,
  // In quarantine: a request of no sequence meets no other.
  'failed-precondition': true,
  conflict: false,
  'permission-denied': false,
  // A queue, or memory.
  'resource-exhausted': true,
  // The caller's own, or it cannot be told from that.
  'deadline-exceeded': false,
  cancelled: false,
  // Not loaded, lost, stopping, or its breakers are open.
  unavailable: true,
  'out-of-range': false,
  unimplemented: false,
  'data-loss': true,
  'model-failed': true,
  internal: true,
};

/** Whether a failure may be one of the version alone, so that another one is asked. Never what may have ended a process. */
export const isOfVersion = (error: SluiceError): boolean => ofVersion[error.kind] && !error.neverAgain;
