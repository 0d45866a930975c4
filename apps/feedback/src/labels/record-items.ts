import type { Clock } from '@sluice/domain/clock';
import type { Gate } from '../gate.ts';
import type { PayloadCipher } from '../payloads/payload-cipher.ts';
import type { Item, ItemAnswer, Refusal } from './item.ts';
import { ItemIds } from './item-ids.ts';

import { joinItems } from './join-items.ts';
import type { LabelStore, LabelTransaction } from './ports.ts';
import type { Ask, TaskAnswer, VersionName } from './task.ts';
import { versionKey } from './task.ts';
import type { VersionTasks } from './version-tasks.ts';

export interface RecordPorts {
  readonly store: LabelStore;
  readonly tasks: Pick<VersionTasks, 'peek' | 'get'>;
  readonly cipher: PayloadCipher;
  readonly clock: Clock;
  readonly waitMs: number;
  /** At most so many batches are in transactions at once; others wait for their turn. */
  readonly turns: Gate;
  readonly onAnswered: (items: readonly (Item | Refusal)[], answers: readonly ItemAnswer[]) => void;
}

const itemIds = new ItemIds();

/** Records a batch and says of each item what became of it, in order. Throws when nothing of the batch was stored. */
export async function recordItems(ports: RecordPorts, checked: readonly (Item | Refusal)[]): Promise<ItemAnswer[]> {
  const items = checked.filter((each): each is Item => !('reason' in each));
  const joined = items.length === 0 ? [] : await joinBatch(ports, items, true);
  let next = 0;
  const answers = checked.map((each): ItemAnswer =>
    'reason' in each ? { result: 'refused', ...each } : joined[next++]!,
  );
  ports.onAnswered(checked, answers);
  return answers;
}

/**
 * Joins items in one transaction. The registry is asked outside of it, so that none is open while a registry is slow.
 *
 * @param also more to do in the transaction, with the answers
 */
export async function joinBatch(
  ports: RecordPorts,
  items: readonly Item[],
  keepWaiting: boolean,
  also?: (tx: LabelTransaction, answers: readonly ItemAnswer[]) => Promise<void>,
): Promise<ItemAnswer[]> {
  const { store, cipher, clock, waitMs, turns } = ports;
  const { answers } = await withTasks(ports.tasks, (taskOf) =>
    turns.run(() =>
      store.transaction(async (tx) => {
        const joined = await joinItems(
          { tx, cipher, ids: itemIds, taskOf, nowMs: clock.now(), waitMs, keepWaiting },
          items,
        );
        if ('answers' in joined) await also?.(tx, joined.answers);
        return joined;
      }),
    ),
  );
  return answers;
}

/** Runs `fn` with what is known of tasks, and again after asking for those that it misses. */
export async function withTasks<T extends object>(
  tasks: Pick<VersionTasks, 'peek' | 'get'>,
  fn: (taskOf: (version: VersionName) => TaskAnswer | undefined) => Promise<T | Ask>,
): Promise<T> {
  // What was asked for counts for this batch however it was answered: it does not ask for ever.
  const answered = new Map<string, TaskAnswer>();
  for (;;) {
    const found = await fn((version) => tasks.peek(version) ?? answered.get(versionKey(version)));
    if (!('ask' in found)) return found;
    await Promise.all(found.ask.map(async (version) => answered.set(versionKey(version), await tasks.get(version))));
  }
}
