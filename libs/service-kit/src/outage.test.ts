import { unavailable } from '@sluice/domain/errors';
import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import type { LogLevel } from './logger.ts';
import { logFailure, logOutage, reasonOf } from './outage.ts';

function linesAt(level: LogLevel, error: unknown): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
  logOutage(createLogger({ service: 's', instance: 'i', level, stream }), error, 'it is away', { peer: 'there' });
  return lines;
}

describe('an outage', () => {
  const error = new Error('no connection', { cause: new Error('connect ECONNREFUSED 127.0.0.1:1\nand more') });

  it('is one line that says why, without a stack', () => {
    const [line, ...others] = linesAt('info', error);
    expect(others).toEqual([]);
    const reason = 'no connection: connect ECONNREFUSED 127.0.0.1:1';
    expect(line).toMatchObject({ severity: 'warn', msg: 'it is away', peer: 'there', reason });
    expect(line).not.toHaveProperty('err');
  });

  it('has its stack at debug', () => {
    const [warning, line] = linesAt('debug', error);
    expect(warning).not.toHaveProperty('err');
    expect(line).toMatchObject({ severity: 'debug', msg: 'it is away', peer: 'there' });
    expect((line!['err'] as { stack: string }).stack).toContain('outage.test.ts');
  });

  it('is told from what should not happen, which keeps its stack', () => {
    const lines: Record<string, unknown>[] = [];
    const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) };
    const logger = createLogger({ service: 's', instance: 'i', level: 'info', stream });
    logFailure(logger, unavailable('no database'), 'a batch failed');
    logFailure(logger, new TypeError('a defect'), 'a batch failed');
    expect(lines.map((line) => [line['reason'], 'err' in line])).toEqual([
      ['no database', false],
      [undefined, true],
    ]);
  });

  it('has a reason whatever was thrown, and says nothing twice', () => {
    expect(reasonOf('gone')).toBe('gone');
    expect(reasonOf(undefined)).toBe('');
    expect(reasonOf({})).toBe('unknown');
    expect(reasonOf(Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' }))).toBe('ECONNREFUSED');
    expect(reasonOf(new Error('a: b', { cause: new Error('b') }))).toBe('a: b');
    const endless = new Error('round');
    endless.cause = endless;
    expect(reasonOf(endless)).toBe('round');
  });
});
