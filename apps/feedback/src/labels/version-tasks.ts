import type { RegistryFacts } from '../versions/registry-facts.ts';
import type { Answer, RegistryVersion } from '../versions/registry-version.ts';
import type { Task, TaskAnswer, VersionName } from './task.ts';
import { noTask } from './task.ts';

export interface VersionTasksOptions {
  readonly facts: Pick<RegistryFacts, 'version' | 'peekVersion'>;
  /** Told when the registry cannot be asked, and (undefined) when it can again. */
  readonly onAway: (error: unknown) => void;
}

/** The tasks of versions, of what all parts of a replica know of the registry. */
export class VersionTasks {
  readonly #options: VersionTasksOptions;
  /** Made once for each version that is known: what is kept of a task is kept by its identity. */
  readonly #tasks = new WeakMap<RegistryVersion, Task>();
  #isAway = false;

  constructor(options: VersionTasksOptions) {
    this.#options = options;
  }

  /** What is known without asking; undefined where nothing is. */
  readonly peek = (version: VersionName): TaskAnswer | undefined => {
    const answer = this.#options.facts.peekVersion(version);
    return answer && this.#taskOf(answer);
  };

  /** Asks where it must; never rejects. */
  readonly get = async (version: VersionName): Promise<TaskAnswer> => {
    const answer = await this.#options.facts.version(version);
    const isAway = answer.state === 'away';
    if (isAway !== this.#isAway) this.#options.onAway(isAway ? answer.error : undefined);
    this.#isAway = isAway;
    return this.#taskOf(answer);
  };

  #taskOf(answer: Answer<RegistryVersion>): TaskAnswer {
    if (answer.state !== 'known') return answer.state;
    let task = this.#tasks.get(answer.value);
    if (!task) this.#tasks.set(answer.value, (task = taskOf(answer.value)));
    return task;
  }
}

/** What a version predicts, as the registry has it. */
export function taskOf({ task, signature: { batched } }: Pick<RegistryVersion, 'task' | 'signature'>): Task {
  if (task.kind === 'none') return noTask;
  const { prediction: output } = task;
  if (task.kind === 'regression') return { kind: 'regression', output, batched };
  const { kind, classFrom, threshold = 0.5, classNames } = task;
  return { kind, output, batched, classFrom, threshold, classNames };
}
