/** What parts of a replica tell each other; each part adds what it wants to be told. */
export class Signals {
  readonly wake: (() => void)[] = [];
  readonly database: ((up: boolean) => void)[] = [];
  /** The database is another one than before (true), or the right one again. */
  readonly replaced: ((replaced: boolean) => void)[] = [];
}
