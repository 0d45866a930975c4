import { errorKinds, SluiceError } from '@sluice/domain/errors';
import { QueryRunnerAlreadyReleasedError } from 'typeorm';
import { describe, expect, it } from 'vitest';
import { constraintOf, fromDatabase, isRefusedLogin, kindOfSqlstate, sqlstateKinds, sqlstateOf } from './sqlstate.ts';

const error = (fields: object, message = 'secret value 42'): Error => Object.assign(new Error(message), fields);
const wrapped = (inner: Error): Error => error({ driverError: inner, parameters: ['secret'] });

describe('the SQLSTATE table', () => {
  it('has only codes, classes and known kinds', () => {
    for (const [code, kind] of Object.entries(sqlstateKinds)) {
      expect(code).toMatch(/^([0-9A-Z]{2}|[0-9A-Z]{3}|[0-9A-Z]{5})$/);
      expect(errorKinds).toContain(kind);
    }
  });

  it.each([
    ['23505', 'already-exists'],
    ['23503', 'failed-precondition'],
    ['23514', 'internal'],
    ['40001', 'conflict'],
    ['40P01', 'conflict'],
    ['08006', 'unavailable'],
    ['57P01', 'unavailable'],
    ['57P03', 'unavailable'],
    ['57014', 'deadline-exceeded'],
    ['53100', 'resource-exhausted'],
    ['53200', 'resource-exhausted'],
    ['53300', 'unavailable'],
    ['55P03', 'unavailable'],
    ['42501', 'permission-denied'],
    ['42P01', 'failed-precondition'],
    ['42601', 'internal'],
    ['22021', 'invalid-argument'],
    ['22P05', 'invalid-argument'],
    ['XX001', 'data-loss'],
    ['XX000', 'internal'],
    ['99999', 'internal'],
  ])('says %s is %s', (code, kind) => {
    expect(kindOfSqlstate(code)).toBe(kind);
    expect(fromDatabase(wrapped(error({ code })))).toMatchObject({ kind });
  });
});

describe('fromDatabase', () => {
  it.each(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ENOTFOUND'])('takes %s of the socket for unavailable', (code) => {
    expect(fromDatabase(error({ code })).kind).toBe('unavailable');
    expect(sqlstateOf(error({ code }))).toBeUndefined();
  });

  it.each(['28P01', '28000'])('says of %s which setting is wrong', (code) => {
    const refused = fromDatabase(error({ code }));
    expect(refused.message).toMatch(/refuses the role or the password of SLUICE_DATABASE_URL/);
    expect([isRefusedLogin(refused.cause), isRefusedLogin(error({ code: '42501' }))]).toEqual([true, false]);
  });

  it('knows the errors of pg that have no code', () => {
    for (const text of ['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'])
      expect(fromDatabase(error({}, text)).kind).toBe('unavailable');
  });

  it('takes a query runner whose connection broke for unavailable', () => {
    expect(fromDatabase(new QueryRunnerAlreadyReleasedError()).kind).toBe('unavailable');
  });

  it('looks into the error of a host with several addresses', () => {
    const both = new AggregateError([error({ code: 'ECONNREFUSED' }), error({ code: 'ECONNREFUSED' })]);
    expect(fromDatabase(both).kind).toBe('unavailable');
  });

  it('never shows the words of the server, and keeps them for logs without the parameters', () => {
    const inner = error({ code: '23505', constraint: 'model_pkey' });
    const mapped = fromDatabase(wrapped(inner));
    expect(mapped.message).not.toContain('secret');
    expect(mapped.cause).toBe(inner);
    expect(constraintOf(mapped.cause)).toBe('model_pkey');
  });

  it('leaves a SluiceError as it is, and makes all else internal', () => {
    const own = new SluiceError('not-found', 'no');
    expect(fromDatabase(own)).toBe(own);
    expect(fromDatabase(new TypeError('oops'))).toMatchObject({ kind: 'internal', message: 'internal error' });
    expect(fromDatabase('a string')).toMatchObject({ kind: 'internal' });
  });
});
