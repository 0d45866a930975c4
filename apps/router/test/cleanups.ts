/** What is run after each test (`after-each.ts`), the last one first. */
export const cleanups: (() => unknown)[] = [];
