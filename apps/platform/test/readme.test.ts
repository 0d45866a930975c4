import { readFile } from 'node:fs/promises';
import { withSettings } from '@sluice/service-kit/readme-table';
import { expect, it } from 'vitest';
import { settings } from '../src/config.ts';

it('the README has the settings as they are', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
  expect(withSettings(readme, settings)).toBe(readme);
});
