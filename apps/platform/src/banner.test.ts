import { expect, it } from 'vitest';
import { banner } from './banner.ts';
import { portTable } from './ports.ts';

it('says of which example models no approval is needed, and of no others', () => {
  const inputs = { ports: portTable(0, 2), home: '/home', databaseFolder: '/data', isClone: true, request: undefined };
  expect(banner({ ...inputs, unapproved: ['wdbc'] })).toContain('models wdbc need no approvals (approvals 0)');
  expect(banner({ ...inputs, unapproved: [] })).not.toContain('approval');
});
