import { afterEach } from 'vitest';
import { cleanups } from './cleanups.ts';

// A set-up file: in a module that files share, the hook would be of the file alone that is the first to load it.
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});
