import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import type { LogLevel } from './logger.ts';
import { warnIfExposed } from './common-config.ts';
import { hideSecrets } from './secrets.ts';

function make(level?: LogLevel) {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({
    service: 'router',
    instance: 'router-1',
    stream,
    ...(level !== undefined && { level }),
  });
  return { logger, lines, last: () => JSON.parse(lines.at(-1)!) as Record<string, unknown> };
}

describe('createLogger', () => {
  it('writes one JSON line with time, severity, service, instance and message', () => {
    const { logger, last } = make();
    logger.info({ prediction_id: 'p1' }, 'routed');
    expect(last()).toMatchObject({
      severity: 'info',
      service: 'router',
      instance: 'router-1',
      msg: 'routed',
      prediction_id: 'p1',
    });
    expect(last()['time']).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(Object.keys(last())).not.toContain('level');
  });

  it('leaves out what is less severe than its level', () => {
    const { logger, lines } = make('warn');
    logger.info('no');
    logger.warn('yes');
    expect(lines).toHaveLength(1);
  });

  it('writes errors with their causes', () => {
    const { logger, last } = make();
    logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'failed');
    expect(JSON.stringify(last()['err'])).toMatch(/outer.*inner/);
  });

  it('hides secrets and payloads wherever they are', () => {
    const { logger, lines } = make();
    const secrets = { password: 'hunter2', databaseUrl: 'postgres://a:hunter2@b', rawInputContents: ['hunter2'] };
    logger.info({ ...secrets, config: secrets, request: { inner: secrets } }, 'x');
    expect(lines[0]).not.toContain('hunter2');
    expect(lines[0]).toContain('[hidden]');
  });
});

describe('warnIfExposed', () => {
  it('warns when other machines can reach the ports', () => {
    const { logger, lines, last } = make();
    const plain = { tlsCertFile: '', tlsClientCaFile: '' };
    warnIfExposed(logger, { host: '127.0.0.1', ...plain });
    expect(lines).toEqual([]);
    warnIfExposed(logger, { host: '0.0.0.0', ...plain });
    expect(last()).toMatchObject({ severity: 'warn', host: '0.0.0.0' });
    expect(last()['msg']).toContain('without TLS or authentication');
    warnIfExposed(logger, { host: '0.0.0.0', tlsCertFile: '/tls/cert.pem', tlsClientCaFile: '' });
    expect(last()['msg']).toContain('without authentication');
    expect(lines).toHaveLength(2);
    warnIfExposed(logger, { host: '0.0.0.0', tlsCertFile: '/tls/cert.pem', tlsClientCaFile: '/tls/ca.pem' });
    expect(lines).toHaveLength(2);
  });
});

describe('hideSecrets', () => {
  it.each([
    ['postgres://sluice:hunter2@127.0.0.1:8154/sluice', 'postgres://sluice:[hidden]@127.0.0.1:8154/sluice'],
    ['postgres://:hunter2@h/db', 'postgres://:[hidden]@h/db'],
    ['a https://u:p%40ss@h and http://v:q@h', 'a https://u:[hidden]@h and http://v:[hidden]@h'],
    ['s3://bucket/x?token=abc&region=eu', 's3://bucket/x?token=[hidden]&region=eu'],
    ['postgres://sluice@127.0.0.1/sluice', 'postgres://sluice@127.0.0.1/sluice'],
    ['127.0.0.1:8101', '127.0.0.1:8101'],
  ])('%s', (text, expected) => expect(hideSecrets(text)).toBe(expected));

  it('hides a password that holds an @', () => {
    expect(hideSecrets('postgres://u:p@ss@h/db')).not.toContain('ss@h');
  });
});
