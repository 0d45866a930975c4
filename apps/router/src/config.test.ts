import { SluiceError } from '@sluice/domain/errors';
import { parseConfig } from '@sluice/service-kit/config';
import { describe, expect, it } from 'vitest';
import { configSpec } from './config.ts';

const parse = (env: Record<string, string>) => parseConfig(configSpec, { env, argv: [] });

describe('configSpec', () => {
  it('has the ports and defaults of the docs, and asks for a state folder', () => {
    expect(parse({ SLUICE_STATE_DIR: '/var/lib/sluice' })).toMatchObject({
      host: '127.0.0.1',
      port: 8001,
      metricsPort: 8002,
      adminPort: 8003,
      registry: ['127.0.0.1:8101'],
      repositoryControl: 'loopback',
      defaultDeadlineMs: 30_000,
      leaseTtlMs: 3_000,
      maxMessageBytes: 67_108_864,
    });
  });

  it('takes several registries, also by IPv6', () => {
    const { registry } = parse({ SLUICE_STATE_DIR: '/s', SLUICE_REGISTRY: 'a:1, [::1]:8101 ,b.example:2' });
    expect(registry).toEqual(['a:1', '[::1]:8101', 'b.example:2']);
  });

  it('reports all problems together', () => {
    try {
      parse({ SLUICE_REGISTRY: 'nowhere', SLUICE_REPOSITORY_CONTROL: 'maybe', SLUICE_PORT: '70000' });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SluiceError);
      const lines = (error as SluiceError).message.split('\n');
      expect(lines).toHaveLength(4);
      expect(lines.some((line) => line.includes('SLUICE_REGISTRY: expected host:port'))).toBe(true);
      expect(lines.some((line) => line.includes('stateDir is not set'))).toBe(true);
    }
  });
});
