import type { SluiceError } from '@sluice/domain/errors';

/** How a request that ran ended: with what it must fail, or well. */
export type Outcome = SluiceError | 'success';

/**
 * Holds answers back so that they are told in the order in which their requests were accepted: each waits for every older
 * request that is neither answered nor has left.
 */
export class AnswerOrder<Node> {
  /** Accepted and not answered, oldest first (a map keeps the order in which its keys came); `undefined` while it has no end. */
  readonly #outcomes = new Map<Node, Outcome | undefined>();
  /** Something may be to tell. */
  #changed = false;

  accept(node: Node): void {
    this.#outcomes.set(node, undefined);
  }

  hold(node: Node, outcome: Outcome): void {
    this.#outcomes.set(node, outcome);
    this.#changed = true;
  }

  holds(node: Node): boolean {
    return this.#outcomes.get(node) !== undefined;
  }

  /** It is answered without its turn, and holds nobody up any more. */
  leave(node: Node): void {
    this.#outcomes.delete(node);
    this.#changed = true;
  }

  /** Tells what is not held back any more; true when there was any, and then to be called again: `tell` may call all this. */
  release(tell: (node: Node, outcome: Outcome) => void): boolean {
    if (!this.#changed) return false;
    this.#changed = false;
    let told = false;
    for (const [node, outcome] of this.#outcomes) {
      if (outcome === undefined) break;
      this.#outcomes.delete(node);
      told = true;
      tell(node, outcome);
    }
    return told;
  }
}
