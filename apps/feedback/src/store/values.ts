/** Parameters of a statement, by the order in which they are named. */
export class Values {
  readonly list: unknown[] = [];

  /** @returns the name by which the statement refers to it */
  add(value: unknown): string {
    return `$${this.list.push(value)}`;
  }
}
