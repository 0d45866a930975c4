import type { Clock } from '@sluice/domain/clock';
import { SluiceError } from '@sluice/domain/errors';
import type { SequenceId } from '@sluice/inference/sequence';
import type { RuntimeLink } from '../../runtimes/runtime-link.ts';
import { byRendezvous } from '../../runtimes/rendezvous.ts';

export interface SequenceQuestion {
  readonly model: string;
  readonly id: SequenceId;
  /** The version that the sequence must live on; 0 for any. */
  readonly version: number;
  /** A runtime that is not asked: what it had of the sequence cannot go on. */
  readonly except: RuntimeLink | undefined;
}

/** What the runtimes said. */
export type Found =
  | { readonly kind: 'there'; readonly link: RuntimeLink; readonly version: number }
  /** All of them were asked, but for those that are gone: it lives nowhere. */
  | { readonly kind: 'nowhere' }
  /** None knows it, and at least one could not be asked. */
  | { readonly kind: 'unsure' };

export interface SearchOptions {
  readonly clock: Clock;
  /** All runtimes that this router knows. */
  readonly links: () => readonly RuntimeLink[];
  /** Asks one runtime. @returns the version that the sequence lives on there; undefined when it does not know it */
  readonly locate: (link: RuntimeLink, question: SequenceQuestion, deadlineMs: number) => Promise<number | undefined>;
}

/** How long a search may take in all, in milliseconds. */
export const searchMs = 1_000;
/** How long the owner may take to answer before the others are asked, in milliseconds. */
export const ownerMs = 500;

/**
 * Asks the runtimes for a sequence, once: the owner of its hash first, who has it unless runtimes came or went since its
 * start, and then the others, all at once.
 *
 * @param key what the hash is over
 */
export async function findSequence(options: SearchOptions, question: SequenceQuestion, key: string): Promise<Found> {
  const links = options.links().filter((link) => link !== question.except);
  const now = options.clock.now();
  const [owner, ...others] = byRendezvous(links.filter(canBeAsked), key);
  let unsure = links.length === 0 || links.some((link) => link.state === 'connecting' && !link.isLost);
  const ask = async (link: RuntimeLink, withinMs: number): Promise<Found | undefined> => {
    try {
      const version = await options.locate(link, question, now + withinMs);
      return version === undefined ? undefined : { kind: 'there', link, version };
    } catch (error) {
      // A runtime of before sequences has none.
      if (SluiceError.from(error).kind !== 'unimplemented') unsure = true;
      return undefined;
    }
  };
  const found = (owner && (await ask(owner, ownerMs))) ?? (await firstOf(others.map((link) => ask(link, searchMs))));
  return found ?? { kind: unsure ? 'unsure' : 'nowhere' };
}

function canBeAsked({ state }: RuntimeLink): boolean {
  return state === 'up' || state === 'draining';
}

/** The first that is something, as soon as it is there; undefined when none is. None of them rejects. */
function firstOf<Value>(answers: readonly Promise<Value | undefined>[]): Promise<Value | undefined> {
  return new Promise((resolve) => {
    for (const answer of answers)
      void answer.then((value) => {
        if (value !== undefined) resolve(value);
      });
    void Promise.all(answers).then(() => resolve(undefined));
  });
}
