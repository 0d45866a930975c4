import { describe, expect, it } from 'vitest';
import { parseConfig } from '@sluice/service-kit/config';
import { configSpec } from './config.ts';

const needed = {
  SLUICE_DATABASE_URL: 'postgres://sluice_registry:secret@127.0.0.1/sluice',
  SLUICE_ARTIFACT_DIR: '/srv/artifacts',
  SLUICE_AUDIT_KEY_FILE: '/srv/audit.key',
};

describe('the settings', () => {
  it('have the agreed ports and a retention of half an hour', () => {
    const config = parseConfig(configSpec, { env: needed, argv: [] });
    expect(config).toMatchObject({ port: 8101, metricsPort: 8102, adminPort: 8103, retainMs: 1_800_000 });
  });

  it('name all that is missing or wrong together, and no secret', () => {
    const env = { SLUICE_DATABASE_URL: 'mysql://me:hunter2@db/x', SLUICE_ARTIFACT_DIR: 'relative' };
    expect(() => parseConfig(configSpec, { env, argv: [] })).toThrow(
      /SLUICE_DATABASE_URL[^]*SLUICE_ARTIFACT_DIR[^]*auditKeyFile/,
    );
    expect(() => parseConfig(configSpec, { env, argv: [] })).not.toThrow(/hunter2/);
  });
});
