import { describe, expect, it } from 'vitest';
import { formatRecord, parseLogLine } from './log-line.ts';

const now = (): string => '2026-01-02T03:04:05.678Z';

describe('log lines', () => {
  it('are read from JSON and shown with their own time, severity and fields', () => {
    const line =
      '{"severity":"warn","time":"2026-01-01T10:20:30.400Z","service":"router","instance":"router-1","msg":"runtime lost","runtime":"runtime-1","note":"two words","count":2}';
    const record = parseLogLine(line, 'router', 'info', now);
    expect(formatRecord(record, 'router', 0, false)).toBe(
      '10:20:30.400 router    warn  runtime lost runtime=runtime-1 note="two words" count=2',
    );
  });

  it('that are not JSON become records of their stream', () => {
    const record = parseLogLine('Segmentation fault', 'runtime-1', 'error', now);
    expect(record).toMatchObject({ time: now(), severity: 'error', service: 'runtime-1', msg: 'Segmentation fault' });
    expect(parseLogLine('{"half":', 'registry', 'error', now).msg).toBe('{"half":');
  });

  it('show the stack of an error below them', () => {
    const record = {
      ...parseLogLine('{"msg":"failed"}', 'registry', 'error', now),
      err: { stack: 'Error: x\n  at y' },
    };
    expect(formatRecord(record, 'registry', 1, false)).toBe(
      '03:04:05.678 registry  error failed\n    Error: x\n      at y',
    );
  });

  it('are coloured only when asked', () => {
    const record = parseLogLine('{"msg":"hello","severity":"error"}', 'router', 'info', now);
    expect(formatRecord(record, 'router', 0, true)).toContain('\u001b[31merror\u001b[0m');
    expect(formatRecord(record, 'router', 0, false)).not.toContain('\u001b');
  });
});
