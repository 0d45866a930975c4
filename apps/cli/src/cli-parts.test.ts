import { errorKinds, SluiceError } from '@sluice/domain/errors';
import { RpcError, statusCodes } from '@sluice/rpc/status';
import { describe, expect, it } from 'vitest';
import { describeProgress } from './commands/follow-move.ts';
import { showRuntimes } from './commands/models.ts';
import { manifestOf } from './commands/versions.ts';
import { CliError, exitCodeOf } from './exit-codes.ts';
import { explain } from './explain.ts';
import { showBytes, showEnum, showFields, showMilliseconds, showShape, showTable, showTime } from './format.ts';
import { toJson } from './json.ts';
import { list, positive, revision, whole } from './options.ts';

const addresses = { registry: ['127.0.0.1:8101'], router: ['127.0.0.1:8001'], feedback: ['127.0.0.1:8111'] };

describe('exit codes', () => {
  it('are known for every kind of failure', () => {
    expect(Object.fromEntries(errorKinds.map((kind) => [kind, exitCodeOf(kind)]))).toEqual({
      'invalid-argument': 2,
      'not-found': 3,
      'already-exists': 4,
      'failed-precondition': 4,
      conflict: 4,
      'permission-denied': 4,
      'resource-exhausted': 5,
      'deadline-exceeded': 5,
      cancelled: 130,
      unavailable: 5,
      unimplemented: 1,
      'data-loss': 1,
      'model-failed': 1,
      internal: 1,
    });
  });
});

describe('explaining failures', () => {
  const away = (address: string) =>
    new RpcError(
      'unavailable',
      `${address} cannot be reached: No connection established. Last error: connect ECONNREFUSED x`,
      {
        origin: 'unsent',
        code: statusCodes.UNAVAILABLE,
      },
    );

  it('says which service is away and how to name another', () => {
    expect(explain(away('127.0.0.1:8101'), addresses)).toEqual({
      code: 5,
      message: '127.0.0.1:8101 cannot be reached (ECONNREFUSED)',
      hint: 'Is a registry running there? `npm start` starts the platform on this machine; --registry HOST:PORT or SLUICE_REGISTRY names another.',
    });
    expect(explain(away('127.0.0.1:8001'), addresses).hint).toMatch(/^Is a router running .*SLUICE_ROUTER/);
    expect(explain(away('127.0.0.1:8111'), addresses).hint).toMatch(/^Is feedback running .*SLUICE_FEEDBACK/);
  });

  it('names files, passes its own errors on, and shows what caused a defect', () => {
    const missing = Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT', path: 'x.csv' });
    expect(explain(missing, addresses)).toEqual({ code: 2, message: 'x.csv does not exist', hint: '' });
    expect(explain(new CliError(6, 'late', 'wait'), addresses)).toEqual({ code: 6, message: 'late', hint: 'wait' });
    expect(explain(new Error('boom'), addresses)).toMatchObject({ code: 1, message: 'internal error: boom' });
    const answered = new RpcError('conflict', 'alias: revision is 7', {
      origin: 'answered',
      code: statusCodes.ABORTED,
    });
    expect(explain(answered, addresses)).toMatchObject({
      code: 4,
      hint: expect.stringMatching(/repeat the command/) as unknown,
    });
    expect(explain(new SluiceError('not-found', 'no model "x"'), addresses)).toEqual({
      code: 3,
      message: 'no model "x"',
      hint: '',
    });
  });
});

describe('showing', () => {
  it('times, sizes, shapes and enums', () => {
    expect(showTime({ seconds: '1766412185', nanos: 123_456_789 })).toBe('2025-12-22 14:03:05Z');
    expect(showTime(null)).toBe('-');
    expect([showBytes(0), showBytes('1023'), showBytes(1536), showBytes(5 * 1024 ** 3), showBytes(300 * 1024)]).toEqual(
      ['0 B', '1023 B', '1.5 KiB', '5.0 GiB', '300 KiB'],
    );
    expect([
      showMilliseconds(0.01234),
      showMilliseconds(12.34),
      showMilliseconds(321.4),
      showMilliseconds(2500),
    ]).toEqual(['0.0123 ms', '12.3 ms', '321 ms', '2.50 s']);
    expect(showShape(['-1', '64'], ['batch', ''])).toBe('[batch, 64]');
    expect(showShape([-1, -1])).toBe('[-1, -1]');
    expect(showEnum('ALIAS_MOVE_STATE_EFFECTIVE', 'ALIAS_MOVE_STATE')).toBe('effective');
  });

  it('tables that can be cut, without what could rewrite a terminal', () => {
    expect(
      showTable(
        ['a', 'long name'],
        [
          ['1', 'x'],
          ['22\u001b[2J', 'y z'],
        ],
      ),
    ).toBe('A       LONG NAME\n1       x\n22 [2J  y z');
    expect(showTable(['name', 'x'], [['日本', 1]])).toBe('NAME  X\n日本  1');
    // Takes longer than a test may, when the time grows with the square of the rows.
    const rows = Array.from({ length: 30_000 }, (_, row) => [row, 'x']);
    expect(showTable(['row', 'value'], rows).split('\n')).toHaveLength(30_001);
  });

  it('fields, without those that are empty', () => {
    expect(
      showFields([
        ['a', 1],
        ['none', ''],
        ['gone', undefined],
        ['longer', 'x\ny'],
      ]),
    ).toBe('a       1\nlonger  x\n        y');
  });

  it('messages as JSON', () => {
    expect(
      toJson({
        at: { seconds: '0', nanos: 5_000_000 },
        bytes: Uint8Array.of(1, 255),
        list: [1n, null, Float32Array.of(0.5)],
        _part: 'chunk',
        not: Number.NaN,
      }),
    ).toEqual({ at: '1970-01-01T00:00:00.005Z', bytes: '01ff', list: ['1', null, [0.5]], not: 'NaN' });
  });

  it('what runtimes have, what that takes of their memory, and what gave way', () => {
    const digits = { model: 'digits', devicesAsked: 'cpu', devicesGot: 'cpu ×1' };
    const runtime = {
      ...{ runtimeId: 'r1', live: true, pool: 'default', address: 'a:1' },
      ...{ memoryUsedBytes: '104857600', memoryBudgetBytes: '1073741824' },
      versions: [
        { ...digits, version: '3', state: 'LOAD_STATE_READY', reason: '' },
        { ...digits, version: '2', state: 'LOAD_STATE_EVICTED', reason: 'no room' },
      ],
      devices: [],
    } as unknown as Parameters<typeof showRuntimes>[0][number];
    const [headings, row] = showRuntimes([runtime]).split('\n');
    expect(headings).toMatch(/^RUNTIME +LIVE +POOL +ADDRESS +DEVICES +MEMORY +VERSIONS$/);
    expect(row).toMatch(
      /^r1 +yes +default +a:1 +cpu +100 MiB of 1\.0 GiB +digits:3 ready, digits:2 evicted \(no room\)$/,
    );
  });

  it('the devices of runtimes, and where sessions are that are not on the CPU alone', () => {
    const version = { model: 'digits', version: '1', state: 'LOAD_STATE_READY', reason: '' };
    const runtime = {
      ...{ runtimeId: 'r1', live: false, pool: 'gpu', address: 'a:1', memoryUsedBytes: '0', memoryBudgetBytes: '0' },
      versions: [
        { ...version, devicesAsked: 'cuda ×2', devicesGot: 'cuda:0 ×2' },
        { ...version, state: 'LOAD_STATE_FAILED', devicesAsked: 'cuda:1', devicesGot: '' },
      ],
      devices: [
        { name: 'cuda:0', state: 'DEVICE_STATE_AVAILABLE', detail: '' },
        { name: 'cuda:1', state: 'DEVICE_STATE_MISSING', detail: 'no driver' },
      ],
    } as unknown as Parameters<typeof showRuntimes>[0][number];
    const [, row] = showRuntimes([runtime]).split('\n');
    expect(row).toContain('cuda:0, cuda:1 missing (no driver)');
    expect(row).toContain('digits:1 ready on cuda:0 ×2 (asked: cuda ×2), digits:1 failed on cuda:1');
  });

  it('how far a move is', () => {
    const move = {
      model: 'digits',
      alias: 'champion',
      toVersion: '3',
      state: 'ALIAS_MOVE_STATE_REQUESTED',
      runtimes: [
        { runtimeId: 'a', state: 'LOAD_STATE_READY', reason: '' },
        { runtimeId: 'b', state: 'LOAD_STATE_FAILED', reason: 'no memory' },
      ],
    } as unknown as Parameters<typeof describeProgress>[0];
    expect(describeProgress(move, [])).toBe('digits champion to version 3: requested; a ready, b failed (no memory)');
    const routers = [
      { routerId: 'r1', appliedRevision: '9', applied: true },
      { routerId: 'r2', appliedRevision: '8', applied: false },
    ];
    expect(describeProgress({ ...move, state: 'ALIAS_MOVE_STATE_EFFECTIVE' }, routers)).toMatch(
      /in effect; applied by 1 of 2 routers$/,
    );
  });

  it('a manifest that is not JSON as an empty one', () => {
    expect([manifestOf(''), manifestOf('{'), manifestOf('{"owner":"me"}')]).toEqual([{}, {}, { owner: 'me' }]);
  });
});

describe('options', () => {
  it('take what they should', () => {
    expect([whole(1)('5'), positive('0.5'), revision('12'), list('a, b,')]).toEqual([5, 0.5, '12', ['a', 'b']]);
    for (const text of ['0', '-1', '1.5', 'x', '']) expect(() => whole(1)(text), text).toThrow(/at least 1/);
    for (const text of ['0', '-1', 'x', '']) expect(() => positive(text), text).toThrow(/above 0/);
    expect(() => revision('latest')).toThrow(/whole number/);
  });
});
