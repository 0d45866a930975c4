import { isAbsolute } from 'node:path';
import { z } from 'zod';

/** A setting of a folder or file that is needed. */
export const absolutePath = z.string().refine(isAbsolute, 'expected an absolute path');

/** A setting of files, with commas between; there may be none. */
export const pathsOrNone = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** A setting that is taken as it is; empty for none. */
export const anyText = z.string();
