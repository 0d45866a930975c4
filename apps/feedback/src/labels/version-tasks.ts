import type { Clock } from '@sluice/domain/clock';
import type { Task, TaskAnswer, VersionName } from './task.ts';
import { versionKey } from './task.ts';

/** The registry, as labels see it. */
export interface TaskDirectory {
  /** Undefined: it has no such version. Throws when it cannot be asked. */
  taskOf(version: VersionName): Promise<Task | undefined>;
}

export interface VersionTasksOptions {
  readonly directory: TaskDirectory;
  readonly clock: Clock;
  /** Told when the registry cannot be asked, and (undefined) when it can again. */
  readonly onAway: (error: unknown) => void;
}

/** A version never changes; one that is not there may have been made since. */
const forgetUnknownMs = 30_000;
/** After a failure nobody waits for another one at once. */
const askAgainMs = 1_000;
const mostVersions = 1_000;

interface Entry {
  readonly answer: Task | 'unknown';
  readonly untilMs: number;
}

/** The tasks of versions, each asked for once. */
export class VersionTasks {
  readonly #options: VersionTasksOptions;
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>();
  readonly #asking = new Map<string, Promise<TaskAnswer>>();
  #awayUntilMs = -Infinity;
  #isAway = false;

  constructor(options: VersionTasksOptions) {
    this.#options = options;
  }

  /** What is known without asking; undefined where nothing is. */
  readonly peek = (version: VersionName): Task | 'unknown' | undefined => {
    const key = versionKey(version);
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    if (entry.untilMs <= this.#options.clock.monotonic()) return undefined;
    this.#entries.set(key, entry);
    return entry.answer;
  };

  /** Asks where it must; never rejects. */
  readonly get = async (version: VersionName): Promise<TaskAnswer> => {
    const known = this.peek(version);
    if (known !== undefined) return known;
    const key = versionKey(version);
    const asking = this.#asking.get(key);
    if (asking) return asking;
    if (this.#options.clock.monotonic() < this.#awayUntilMs) return 'away';
    const answer = this.#options.directory.taskOf(version).then(
      (task) => this.#learn(key, task),
      (error: unknown) => this.#failed(error),
    );
    this.#asking.set(key, answer);
    return answer.finally(() => this.#asking.delete(key));
  };

  #learn(key: string, task: Task | undefined): Task | 'unknown' {
    const answer = task ?? 'unknown';
    const untilMs = task ? Infinity : this.#options.clock.monotonic() + forgetUnknownMs;
    if (this.#entries.size >= mostVersions) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { answer, untilMs });
    if (this.#isAway) this.#options.onAway(undefined);
    this.#isAway = false;
    return answer;
  }

  #failed(error: unknown): 'away' {
    this.#awayUntilMs = this.#options.clock.monotonic() + askAgainMs;
    if (!this.#isAway) this.#options.onAway(error);
    this.#isAway = true;
    return 'away';
  }
}
