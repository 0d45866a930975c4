import type { Parameter, ReadTransaction } from '@sluice/persistence/transaction';
import { fromDatabase } from '@sluice/persistence/sqlstate';
import type { DataSource } from 'typeorm';

/** Runs SQL with parameters; the rows are what the driver gives, so only store/ sees them. */
export type Sql = Pick<ReadTransaction, 'query'>;

/**
 * Single statements outside of transactions, for what is not audited. `available` may refuse at once what cannot be
 * asked now.
 */
export function createStatements(dataSource: DataSource, available: () => void = () => undefined): Sql {
  return {
    async query<R>(text: string, parameters: readonly Parameter[] = []): Promise<R[]> {
      available();
      const runner = dataSource.createQueryRunner();
      try {
        return (await runner.query(text, [...parameters], true)).records as R[];
      } catch (error) {
        throw fromDatabase(error);
      } finally {
        await runner.release();
      }
    },
  };
}

export const toMs = (at: Date): number => at.getTime();

export const toMsOrUndefined = (at: Date | null): number | undefined => at?.getTime();

export const fromMs = (ms: number): Date => new Date(ms);
