import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;

/**
 * Gives back what starting up and loading have left: the heap keeps pages of dead objects for later use, and a runtime at
 * rest has none. Takes some tens of milliseconds, so it is for moments in which nobody waits.
 */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect | undefined;
  setFlagsFromString('--no-expose-gc');
  // A collection down to empty also drops the shapes of objects of which none lives. Node's nextTick makes one of a shape of
  // its own; with a new shape V8 takes the slow path for good, which cost every request 3 µs. So one lives meanwhile.
  process.nextTick(() => undefined);
  collect?.({ type: 'major', flavor: 'last-resort' });
}
