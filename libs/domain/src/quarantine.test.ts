import { describe, expect, it } from 'vitest';
import { isStrikeKind, quarantinedError, quarantineReason } from './quarantine.ts';

describe('a quarantine', () => {
  it('says what the version did, where, and what to type', () => {
    const reason = quarantineReason([
      { kind: 'crashed', runtimeId: 'runtime-1' },
      { kind: 'hung', runtimeId: 'runtime-2' },
      { kind: 'crashed-loading', runtimeId: 'runtime-1' },
    ]);
    expect(reason).toBe(
      'it ended its runtime 3 times: crashed runtime-1, hung runtime-2, crashed while it was loaded by runtime-1',
    );
    const error = quarantinedError({ model: 'team/digits', version: 4, reason });
    expect(error.kind).toBe('failed-precondition');
    expect(error.message).toBe(
      `team/digits version 4 is quarantined: ${reason}; serve another version, or let it be loaded again with ` +
        '`sluice quarantine lift team/digits 4`',
    );
  });

  it('knows its kinds', () => {
    expect(['crashed', 'hung', 'crashed-loading', 'hung-loading'].every(isStrikeKind)).toBe(true);
    expect(['', 'constructor', 'CRASHED'].some(isStrikeKind)).toBe(false);
  });
});
