import type { StrikeKind } from '@sluice/domain/quarantine';
import type { Doing } from '../runtime/thread-mark.ts';
import type { LastLife, NamedVersion, Ran } from './crash-file.ts';

/** What a version did to this runtime. */
export interface Strike extends NamedVersion {
  /** The same for the same deed, however often it is found. */
  readonly id: string;
  readonly kind: StrikeKind;
  /** Clock.now() when it was found. */
  readonly atMs: number;
}

/** Several versions were in native code when the process ended: one of them did it. */
export interface Suspicion {
  readonly id: string;
  readonly versions: readonly NamedVersion[];
  readonly atMs: number;
}

export interface Verdict {
  readonly strike: Strike | undefined;
  readonly suspicion: Suspicion | undefined;
}

const kinds: Readonly<Record<'crashed' | 'hung', Readonly<Record<Doing, StrikeKind>>>> = {
  crashed: { running: 'crashed', loading: 'crashed-loading' },
  hung: { running: 'hung', loading: 'hung-loading' },
};

const same = (one: NamedVersion, other: NamedVersion): boolean =>
  one.model === other.model && one.version === other.version && one.digest === other.digest;

const nameOf = ({ model, version, digest }: NamedVersion): NamedVersion => ({ model, version, digest });

/** How a supervisor says that somebody from outside ended the process: no fault of a model does that. */
const killed = 'signal SIGKILL';

/**
 * Whose the end of the last life was. A strike needs proof: the watchdog named the version, or it alone was in native code.
 * Of several each is suspected, and none is struck.
 * @param lastEnd how it ended, in the words of the supervisor; '' when that is not known
 */
export function judge(life: LastLife | undefined, lastEnd: string, nowMs: number): Verdict {
  const none: Verdict = { strike: undefined, suspicion: undefined };
  if (!life) return none;
  const { epoch, hung, ran } = life;
  const strikeOf = (by: Ran, deed: 'crashed' | 'hung'): Verdict => ({
    strike: { ...nameOf(by), id: epoch, kind: kinds[deed][by.doing], atMs: nowMs },
    suspicion: undefined,
  });
  if (hung) return strikeOf(hung, 'hung');
  if (life.innocent || lastEnd === killed) return none;
  const versions: NamedVersion[] = [];
  for (const each of ran) if (!versions.some((other) => same(each, other))) versions.push(nameOf(each));
  if (versions.length > 1) return { strike: undefined, suspicion: { id: epoch, versions, atMs: nowMs } };
  // One of its threads may have been loading while another served.
  const cause = ran.find(({ doing }) => doing === 'loading') ?? ran[0];
  return cause ? strikeOf(cause, 'crashed') : none;
}
