import { SluiceError } from '@sluice/domain/errors';
import type { ExportRequest } from './check-export.ts';
import type { ExportMessage, ExportPorts } from './run-export.ts';
import { runExport } from './run-export.ts';

export interface ExportsOptions extends ExportPorts {
  /** At once. */
  readonly most: number;
}

/** Files that are being made. */
export class Exports {
  readonly #options: ExportsOptions;
  #open = 0;

  constructor(options: ExportsOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open;
  }

  /**
   * One file; see `runExport`.
   *
   * @throws SluiceError resource-exhausted for one too many
   */
  async *export(request: ExportRequest, signal: AbortSignal): AsyncGenerator<ExportMessage, void, undefined> {
    const { most } = this.#options;
    if (this.#open >= most)
      throw new SluiceError(
        'resource-exhausted',
        `${most} exports are under way: ask another feedback, wait, or raise SLUICE_MAX_EXPORTS`,
        { retryAfterMs: 5_000 },
      );
    this.#open += 1;
    try {
      yield* runExport(this.#options, request, signal);
    } finally {
      this.#open -= 1;
    }
  }
}
