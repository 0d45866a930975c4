import type { Transactions } from '@sluice/persistence/transaction';

/** The same transactions, refused at once by `available` while Postgres is known to be away: it throws `unavailable`. */
export function gatedTransactions(transactions: Transactions, available: () => void): Transactions {
  return {
    readOnly: async (fn) => {
      available();
      return transactions.readOnly(fn);
    },
    readWrite: async (fn) => {
      available();
      return transactions.readWrite(fn);
    },
  };
}
