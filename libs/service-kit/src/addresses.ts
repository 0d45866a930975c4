import { z } from 'zod';

const address = /^(\[[0-9a-fA-F:]+\]|[^\s:,[\]]+):\d{1,5}$/;
const isAddress = (text: string): boolean => address.test(text);
const expected = 'expected host:port, or several with commas between them';

const parts = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** A setting of the addresses of a service, host:port with commas between; there may be none. */
export const addressesOrNone = parts.refine((list) => list.every(isAddress), expected);

/** The same of a service that is needed. */
export const addresses = parts.refine((list) => list.length > 0 && list.every(isAddress), expected);

/** A setting of the address of a database, with role and password. */
export const databaseAddress = z
  .string()
  .regex(/^postgres(ql)?:\/\//, 'expected postgres://role:password@host:port/database');
