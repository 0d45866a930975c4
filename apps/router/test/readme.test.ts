import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { withSettings } from '@sluice/service-kit/readme-table';
import { expect, it } from 'vitest';
import { configSpec } from '../src/config.ts';

it('the README has the settings as they are', () => {
  const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');
  expect(readme).toBe(withSettings(readme, configSpec));
});
