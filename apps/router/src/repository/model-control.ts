import { invalidArgument, SluiceError } from '@sluice/domain/errors';
import { clip } from '@sluice/domain/names';
import { loadModel } from './load-model.ts';
import { readLoadParameters } from './load-parameters.ts';
import type { RepositoryParameter } from './load-parameters.ts';
import type { Readiness } from './readiness.ts';
import type { Repository, RepositoryCall } from './repository.ts';
import { Turns } from './turns.ts';
import { unloadModel } from './unload-model.ts';

/** Loads and unloads that may be under way at once: each may hold a message of files. */
const maxUnderWay = 8;

export interface ControlRequest {
  readonly model: string;
  readonly parameters: Readonly<Record<string, RepositoryParameter>>;
}

/** Triton's model control. Every failure begins as Triton's do, since its clients look for that. */
export class ModelControl {
  readonly #repository: Repository;
  readonly #readiness: Readiness;
  readonly #turns = new Turns(maxUnderWay);

  constructor(repository: Repository, readiness: Readiness) {
    this.#repository = repository;
    this.#readiness = readiness;
  }

  /** Answers when the version is ready; see `loadModel`. */
  load({ model, parameters }: ControlRequest, call: RepositoryCall): Promise<void> {
    const ports = {
      repository: this.#repository,
      whenReady: (name: string, version: number, revision: number, signal: AbortSignal) =>
        this.#readiness.whenReady(name, version, revision, signal),
    };
    return this.#run('load', model, call, async () => {
      await loadModel(ports, model, readLoadParameters(parameters), call);
    });
  }

  /** Answers when the pins are gone and this router routes nothing by them any more; see `unloadModel`. */
  unload({ model, parameters }: ControlRequest, call: RepositoryCall): Promise<void> {
    const ports = {
      repository: this.#repository,
      whenApplied: (revision: number, signal: AbortSignal) => this.#readiness.whenApplied(revision, signal),
    };
    return this.#run('unload', model, call, async () => {
      checkUnloadParameters(parameters);
      await unloadModel(ports, model, call);
    });
  }

  async #run(verb: 'load' | 'unload', model: string, call: RepositoryCall, work: () => Promise<void>): Promise<void> {
    try {
      if (model === '') throw invalidArgument('model_name: expected the name of a model, got nothing');
      await this.#turns.take(model, () => {
        // Its caller may have gone while it waited for its turn.
        call.signal.throwIfAborted();
        return work();
      });
    } catch (thrown) {
      const error = SluiceError.from(thrown);
      const { retryAfterMs } = error;
      throw new SluiceError(error.kind, `failed to ${verb} '${clip(model)}', ${error.message}`, {
        cause: error.cause ?? error,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });
    }
  }
}

/** `unload_dependents` changes nothing: no model of Sluice is made of others. */
function checkUnloadParameters(parameters: ControlRequest['parameters']): void {
  for (const [name, { parameterChoice }] of Object.entries(parameters)) {
    if (name !== 'unload_dependents') {
      throw invalidArgument(`parameter "${clip(name)}" is not known; expected "unload_dependents"`);
    }
    if (parameterChoice !== 'boolParam') {
      throw invalidArgument(`parameter "unload_dependents": expected bool_param, got ${parameterChoice ?? 'nothing'}`);
    }
  }
}
