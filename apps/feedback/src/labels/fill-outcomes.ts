import type { JoinerStore, MissingOutcome } from './joiner-ports.ts';
import type { LabelTransaction, StoredAnswer } from './ports.ts';
import type { RecordPorts } from './record-items.ts';
import { withTasks } from './record-items.ts';
import type { Pairing } from './score-answers.ts';
import { scoreAnswers } from './score-answers.ts';
import type { Ask, TaskAnswer, VersionName } from './task.ts';
import { unknownOf } from './task.ts';

export interface FillPorts {
  readonly store: Pick<JoinerStore, 'missingOutcomes'>;
  readonly ports: RecordPorts;
}

const keyOf = ({ class: name, predictionId, arm, attempt }: Omit<MissingOutcome, 'label'>): string =>
  `${name} ${predictionId} ${attempt} ${arm}`;

/**
 * Holds labels of predictions against answers that were stored after them.
 *
 * @param ids predictions that have labels
 * @returns false when the registry has to be asked what a version predicts, and is away
 */
export async function fillOutcomes(
  { store, ports }: FillPorts,
  ids: readonly string[],
  atOnce: number,
): Promise<boolean> {
  for (;;) {
    const missing = await store.missingOutcomes(ids, atOnce);
    if (missing.length === 0) return true;
    const { written } = await withTasks(ports.tasks, (taskOf) =>
      ports.turns.run(() => ports.store.transaction((tx) => fill({ tx, taskOf, ports }, missing))),
    );
    if (written === 'away') return false;
    // What nobody can write is not asked for again: its record has gone.
    if (written === 0) return true;
  }
}

interface Fill {
  readonly tx: LabelTransaction;
  readonly taskOf: (version: VersionName) => TaskAnswer | undefined;
  readonly ports: RecordPorts;
}

async function fill(
  { tx, taskOf, ports }: Fill,
  missing: readonly MissingOutcome[],
): Promise<{ readonly written: number | 'away' } | Ask> {
  const answers = await tx.answersOf([...new Set(missing.map(({ predictionId }) => predictionId))]);
  const byKey = new Map<string, StoredAnswer>(answers.map((answer) => [keyOf(answer), answer]));
  const pairings = missing.flatMap(({ label, ...key }): Pairing[] => {
    const answer = byKey.get(keyOf(key));
    return answer ? [{ label, answers: [answer] }] : [];
  });
  const wanted = [...new Set(pairings.flatMap(({ answers: own }) => own))];
  const ask = unknownOf(wanted, taskOf);
  if (ask.length > 0) return { ask };
  if (wanted.some((answer) => taskOf(answer) === 'away')) return { written: 'away' };
  const known = (version: VersionName): TaskAnswer => taskOf(version) ?? 'unknown';
  const rows = await scoreAnswers({ tx, cipher: ports.cipher, taskOf: known }, pairings);
  return { written: rows.length === 0 ? 0 : await tx.addOutcomes(rows) };
}
