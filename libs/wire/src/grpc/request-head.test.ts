import { describe, expect, it } from 'vitest';
import type { HeaderBlock } from '../hpack/header-block.ts';
import { requestHead } from './request-head.ts';
import type { RequestHead } from './request-head.ts';
import { statusCodes } from './status.ts';

const block = (fields: readonly string[], tooLong = false): HeaderBlock => ({
  ...{ fields, listSize: 0, values: fields.length / 2, tooLong },
  meaning: undefined,
});
const pseudo = [':method', 'POST', ':scheme', 'http', ':path', '/a.B/C', ':authority', 'example.org'] as const;
const grpc = ['content-type', 'application/grpc', 'te', 'trailers'] as const;
const head = (...more: readonly string[]): RequestHead => requestHead(block([...pseudo, ...grpc, ...more]));

describe('the head of a request', () => {
  it('says what is called, where, for how long, and with what', () => {
    const all = [
      'grpc-timeout',
      '2S',
      'grpc-encoding',
      'gzip',
      'content-length',
      '7',
      'x',
      'y',
      'x',
      'z',
      'b-bin',
      'AQ',
    ];
    const read = head(...all);
    expect(read).toMatchObject({
      ...{ refusal: undefined, path: '/a.B/C', authority: 'example.org', timeoutMs: 2000, coding: 'gzip' },
      ...{ contentLength: 7, fields: ['x', 'y', 'x', 'z', 'b-bin', 'AQ'] },
    });
    expect(read.metadata().toJSON()).toEqual({ x: ['y', 'z'], 'b-bin': [Buffer.from([1])] });
  });

  it('has what is not said as nothing', () => {
    expect(head()).toMatchObject({
      ...{ refusal: undefined, timeoutMs: undefined, coding: 'identity', contentLength: undefined, fields: [] },
    });
  });

  it('has its authority from :authority, and never from host', () => {
    expect(head('host', 'EXAMPLE.org')).toMatchObject({ refusal: undefined, authority: 'example.org', fields: [] });
    expect(requestHead(block([...pseudo.slice(0, 6), ...grpc, 'host', 'other.org'])).authority).toBe('');
  });

  it('is made once for a block, and its metadata for each call', () => {
    const one = block([...pseudo, ...grpc, 'x', 'y']);
    const read = requestHead(one);
    expect(requestHead(one)).toBe(read);
    const metadata = read.metadata();
    metadata.set('x', 'changed');
    expect(read.metadata().get('x')).toEqual(['y']);
  });
});

describe('what a call keeps of its head', () => {
  it('is its list as that counts, and each further value of bytes as a field', () => {
    const fields = [...pseudo, ...grpc, 'b-bin', 'AQ,AQ,AQ'];
    const octets = requestHead({ ...block(fields), listSize: 500, values: fields.length / 2 + 2 }).octets;
    expect(octets).toBe(500 + 2 * 32);
  });
});

describe('a request that is no call', () => {
  it('is one whose fields are too many to be kept: 431', () => {
    expect(requestHead(block([], true)).refusal).toEqual({ kind: 'http', status: 431 });
  });

  it('is one that is malformed', () => {
    expect(requestHead(block([':method', 'POST'])).refusal).toEqual({ kind: 'malformed', why: 'no :scheme' });
    expect(head('Bad', 'x').refusal).toEqual({ kind: 'malformed', why: 'a field named "Bad"' });
    expect(head('host', 'example.com').refusal).toEqual({ kind: 'malformed', why: 'host other than :authority' });
    // Whatever else would be said of it.
    expect(
      requestHead(block([':method', 'GET', ':scheme', 'http', ':path', '/', 'connection', 'x'])).refusal,
    ).toMatchObject({
      kind: 'malformed',
    });
  });

  it('is one with another method: 405', () => {
    const fields = [':method', 'GET', ...pseudo.slice(2), ...grpc];
    expect(requestHead(block(fields)).refusal).toEqual({ kind: 'http', status: 405 });
  });

  it.each(['application/grpc', 'application/grpc+proto', 'application/grpc;charset=utf-8', 'application/grpc+x;y'])(
    'is none with the type %s',
    (type) => {
      expect(requestHead(block([...pseudo, 'content-type', type])).refusal).toBeUndefined();
    },
  );

  it.each(['application/json', 'application/grpc-web', 'application/grpcx', 'Xapplication/grpc', ''])(
    'is one with the type %j: 415',
    (type) => {
      const fields = [...pseudo, 'content-type', type];
      expect(requestHead(block(fields)).refusal).toEqual({ kind: 'http', status: 415 });
      expect(requestHead(block([...fields, 'grpc-timeout', 'x'])).refusal).toEqual({ kind: 'http', status: 415 });
    },
  );

  it('is one without a type: 415', () => {
    expect(requestHead(block(pseudo)).refusal).toEqual({ kind: 'http', status: 415 });
  });

  it('is one whose timeout is none', () => {
    expect(head('grpc-timeout', '1 hour').refusal).toEqual({
      kind: 'grpc',
      code: statusCodes.INTERNAL,
      details: 'grpc-timeout: "1 hour" is none',
    });
  });

  it('has of what its caller said no more than tells what it was', () => {
    const long = 'x'.repeat(16_000);
    for (const name of ['grpc-timeout', 'grpc-encoding'])
      expect(head(name, long).refusal).toMatchObject({ details: expect.stringMatching(/^.{100,200}$/) as string });
  });

  it('is one in a coding that nobody here knows, and says which are', () => {
    const refusal = head('grpc-encoding', 'snappy', 'grpc-timeout', 'x').refusal;
    expect(refusal).toEqual({
      kind: 'grpc',
      code: statusCodes.UNIMPLEMENTED,
      details: 'grpc-encoding: "snappy" is not known here; identity, gzip and deflate are',
      fields: ['grpc-accept-encoding', 'identity,deflate,gzip'],
    });
  });
});
