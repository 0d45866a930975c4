import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { RegistryVersion } from '../versions/registry-version.ts';
import type { Task } from './task.ts';
import { noTask } from './task.ts';
import type { TaskDirectory } from './version-tasks.ts';

/** Tasks of versions, of what all parts of a replica know of the registry. */
export const registryTasks = (facts: Pick<RegistryFacts, 'version'>): TaskDirectory => ({
  taskOf: async (name) => {
    const answer = await facts.version(name);
    if (answer.state === 'away') throw answer.error;
    return answer.state === 'known' ? taskOf(answer.value) : undefined;
  },
});

/** What a version predicts, as the registry has it. */
export function taskOf({ task, signature: { batched } }: Pick<RegistryVersion, 'task' | 'signature'>): Task {
  if (task.kind === 'none') return noTask;
  const { prediction: output } = task;
  if (task.kind === 'regression') return { kind: 'regression', output, batched };
  const { kind, classFrom, threshold = 0.5, classNames } = task;
  return { kind, output, batched, classFrom, threshold, classNames };
}
