import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { withSettings } from '@sluice/service-kit/readme-table';
import { configSpec } from '../src/config.ts';

it('the README has the settings as they are', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  expect(readme).toBe(withSettings(readme, configSpec));
});
