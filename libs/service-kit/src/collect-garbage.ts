import { createHook } from 'node:async_hooks';
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
  keepTickShape();
  collect?.({ type: 'major', flavor: 'last-resort' });
}

/** A tick of Node's, and with it the shape of all of them. */
let tick: object | undefined;

/**
 * A collection drops the shapes of objects of which none lives. Node's nextTick makes objects of a shape of their own; once it
 * meets a new one, V8 takes the slow path for good, which cost every request 3 µs. So one of them is kept, also for the
 * collections that V8 makes by itself when a process is at rest. Only a hook can see one; it is gone at once.
 */
function keepTickShape(): void {
  const hook = createHook({
    init: (_id, type, _trigger, resource) => {
      if (type === 'TickObject') tick = resource;
    },
  }).enable();
  process.nextTick(() => tick);
  hook.disable();
}
