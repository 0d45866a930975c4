import { unavailable } from '@sluice/domain/errors';
import type { SluiceError } from '@sluice/domain/errors';
import type { RuntimeLink } from '../runtimes/runtime-link.ts';
import type { AttemptFailure, Attempts } from './attempts.ts';
import type { VersionTarget } from './table.ts';

/** Who has a version, or would load it. */
export interface WhereOptions {
  /** Runtimes that have a version ready now. */
  readonly readyFor: (key: string) => readonly RuntimeLink[];
  /** Runtimes where requests wait until a version is loaded, best first. Asked when none has it ready. */
  readonly onDemandFor: (version: VersionTarget) => readonly RuntimeLink[];
  /** Why runtimes that were asked for a version do not load it; undefined when none has said. */
  readonly whyNotLoaded: (key: string) => string | undefined;
  /** Told that a runtime cannot load a version, so that nobody asks it for that again soon. */
  readonly onCannotLoad: (link: RuntimeLink, key: string, error: SluiceError) => void;
}

/** Where a request for a version may go. */
export interface Candidates {
  readonly links: readonly RuntimeLink[];
  /** None has the version ready: requests wait where it is loaded, and `links` are to be tried in their order. */
  readonly waits: boolean;
}

/** Runtimes that have the version; when none has, those that load it for this request. */
export function candidatesFor(options: WhereOptions, version: VersionTarget): Candidates {
  const ready = options.readyFor(version.key);
  if (ready.length > 0) return { links: ready, waits: false };
  return { links: options.onDemandFor(version), waits: true };
}

/** Why a request for a version goes nowhere. */
export function nowhere(options: WhereOptions, version: VersionTarget): SluiceError {
  const what = `${version.model} version ${version.text}`;
  const why = options.whyNotLoaded(version.key);
  if (why !== undefined) return loadedNowhere(version, why, undefined);
  if (version.placed) return unavailable(`${what} is ready on no runtime that this router reaches; try again`);
  const advice = 'give it an alias or `sluice pin`, and `sluice runtimes` shows why';
  return unavailable(`${what} is not placed, and no runtime that this router reaches loads it: ${advice}`);
}

function loadedNowhere({ model, text }: VersionTarget, why: string, cause: SluiceError | undefined): SluiceError {
  return unavailable(`no runtime can load ${model} version ${text}: ${why}`, cause && { cause });
}

/** What failed, and where it was sent. */
export interface FailedSending {
  readonly version: VersionTarget;
  readonly failure: AttemptFailure;
  /** Runtimes that have had the request; the last one failed. */
  readonly tried: readonly RuntimeLink[];
  /** It was sent there to be loaded. */
  readonly waits: boolean;
}

/**
 * Where a request goes after an attempt that failed: to runtimes that have not had it, or nowhere. One that cannot load the
 * version is no attempt: the runtimes of other pools must not use up those of the one that can.
 *
 * @returns the error to answer with when it goes nowhere
 */
export function nextAfter(options: WhereOptions, attempts: Attempts, failed: FailedSending): Candidates | SluiceError {
  const { version, failure, tried } = failed;
  const refused = failed.waits && cannotLoad(failure);
  if (refused) options.onCannotLoad(tried.at(-1)!, version.key, failure.error);
  const { links, waits } = candidatesFor(options, version);
  const others = { links: links.filter((link) => !tried.includes(link)), waits };
  if (refused) {
    attempts.uncounted();
    return others.links.length > 0 ? others : loadedNowhere(version, failure.error.message, failure.error);
  }
  return attempts.failed(failure, others.links.length > 0) ?? others;
}

/**
 * Whether a runtime that was asked to load a version answered that it cannot: it is of another pool, does not have the
 * device, or the load failed. One that has no room now, or that says when to come again, may yet.
 */
function cannotLoad({ origin, error }: AttemptFailure): boolean {
  if (origin !== 'answered') return false;
  return error.kind === 'not-found' || (error.kind === 'unavailable' && error.retryAfterMs === undefined);
}
