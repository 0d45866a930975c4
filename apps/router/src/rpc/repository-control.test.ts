import { describe, expect, it } from 'vitest';
import { checkRepositoryControl, hostOf } from './repository-control.ts';

describe('checkRepositoryControl', () => {
  it('lets this machine in, and others only when it is open', () => {
    for (const peer of [
      '127.0.0.1:4711',
      '127.8.0.1:1',
      '[::1]:4711',
      '::1:4711',
      '[::ffff:127.0.0.1]:9',
      '::ffff:127.0.0.1:9',
    ]) {
      expect(() => checkRepositoryControl('loopback', peer), peer).not.toThrow();
    }
    for (const peer of ['10.0.0.7:4711', '[fe80::1]:4711', '128.0.0.1:1', 'unknown', '']) {
      expect(() => checkRepositoryControl('loopback', peer), peer).toThrow('may not load or unload models');
      expect(() => checkRepositoryControl('open', peer)).not.toThrow();
    }
  });
});

describe('hostOf', () => {
  it('takes the port off', () => {
    expect(hostOf('10.0.0.7:4711')).toBe('10.0.0.7');
    expect(hostOf('[::1]:4711')).toBe('::1');
    expect(hostOf('ipv4:10.0.0.7:4711')).toBe('10.0.0.7');
    expect(hostOf('ipv6:[::1]:4711')).toBe('::1');
    expect(hostOf('localhost')).toBe('localhost');
  });
});
