import type { Format } from '@sluice/tabular/formats';
import type { Registration } from './data-set.ts';

/** What `sluice batch` is asked to do, once the command line is read. */
export interface BatchOptions {
  readonly output: string;
  /** Undefined: by the name of the file. */
  readonly format: Format | undefined;
  readonly inputFormat: Format | undefined;
  /** Whether CSV has a heading. */
  readonly header: boolean;
  /** Number or alias; '' for champion. */
  readonly version: string;
  /** Columns of the input that the output has too. */
  readonly columns: readonly string[];
  /** Outputs that are wanted; empty for all. */
  readonly outputs: readonly string[];
  /** Rows of one request; 0 for the most that the version batches. */
  readonly rowsPerRequest: number;
  /** Requests at once, at most. */
  readonly inFlight: number;
  /** Rows of the input that are read; Infinity for all. */
  readonly limit: number;
  /** Longest wait for one request, in milliseconds. */
  readonly timeoutMs: number;
  /** How long nothing may get through before the run gives up, in milliseconds. */
  readonly patienceMs: number;
  readonly onError: 'stop' | 'skip';
  /** Rows from one checkpoint to the next; 0 lets the format decide. */
  readonly checkpointRows: number;
  /** Forget what an earlier run has done. */
  readonly restart: boolean;
  /** Replace an output that is there. */
  readonly overwrite: boolean;
  /** What the output becomes in the registry; undefined: nothing. */
  readonly registration: Registration | undefined;
  /** Lines of progress where no person looks. */
  readonly progress: boolean;
}
